'use strict';
// Adds to the drawn charts what paper cannot do: a readout under the pointer or the arrow keys, and a slider that smooths noisy curves.
(() => {
  const svgNamespace = 'http://www.w3.org/2000/svg';
  const number = text => (text === '' ? NaN : Number(text));
  const format = (value, share) => {
    if (share) return (value * 100).toFixed(1) + ' %';
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e15)) return value.toExponential(2);
    return size >= 1000 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(4);
  };
  const smooth = (values, weight) => {
    let mean = 0, correction = 1;
    return values.map(value => {
      mean = weight * mean + (1 - weight) * value;
      correction *= weight;
      return weight === 0 ? value : mean / (1 - correction);
    });
  };
  const nearest = (steps, step) => {
    let low = 0, high = steps.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (steps[middle] < step) low = middle + 1; else high = middle;
    }
    return low > 0 && step - steps[low - 1] <= steps[low] - step ? low - 1 : low;
  };

  const charts = [...document.querySelectorAll('svg.chart[data-x0]')].map(svg => {
    const at = name => Number(svg.dataset[name]);
    const box = { left: at('left'), right: at('right'), top: at('top'), bottom: at('bottom'), x0: at('x0'), x1: at('x1'), y0: at('y0'), y1: at('y1') };
    const x = step => box.left + (step - box.x0) / (box.x1 - box.x0) * (box.right - box.left);
    const y = value => box.bottom - (value - box.y0) / (box.y1 - box.y0) * (box.bottom - box.top);
    const series = [...svg.querySelectorAll('g.series')].map(group => ({
      group, name: group.dataset.name, noisy: group.dataset.noisy === '1',
      steps: group.dataset.steps.split(',').map(number), epochs: group.dataset.epochs.split(',').map(number),
      values: group.dataset.values.split(',').map(number), shown: group.dataset.values.split(',').map(number),
    })).filter(one => one.steps.length > 0 && !Number.isNaN(one.steps[0]));
    return { svg, box, x, y, series, share: svg.dataset.share === '1' };
  });

  for (const chart of charts) {
    const { svg, box, x, y, series, share } = chart;
    const readout = svg.querySelector('g.readout'), guide = readout.querySelector('line');
    const line = svg.parentElement.querySelector('.values');
    const note = line.textContent;
    const steps = [...new Set(series.flatMap(one => one.steps))].sort((a, b) => a - b);
    const dots = series.map(one => {
      const dot = document.createElementNS(svgNamespace, 'circle');
      dot.setAttribute('r', '4');
      dot.setAttribute('class', one.group.getAttribute('class').replace('series ', ''));
      readout.append(dot);
      return dot;
    });
    let current = -1;
    const show = index => {
      if (index < 0 || index >= steps.length) return;
      current = index;
      const step = steps[index];
      readout.removeAttribute('hidden');
      guide.setAttribute('x1', x(step));
      guide.setAttribute('x2', x(step));
      const parts = [];
      let epoch = NaN;
      series.forEach((one, i) => {
        const k = nearest(one.steps, step), value = one.shown[k];
        dots[i].setAttribute('cx', x(one.steps[k]));
        dots[i].setAttribute('cy', Math.min(box.bottom, Math.max(box.top, y(value))));
        if (one.steps[k] === step) epoch = one.epochs[k];
        const label = one.name.includes('/') ? one.name.slice(0, one.name.indexOf('/')) : one.name;
        const bold = document.createElement('b');
        bold.textContent = format(one.values[k], share);
        parts.push(label + ' ', bold, one.steps[k] === step ? '  ' : ' (step ' + one.steps[k].toLocaleString('en-US') + ')  ');
      });
      line.replaceChildren('step ' + step.toLocaleString('en-US') + (Number.isNaN(epoch) ? '' : ', epoch ' + epoch) + '  ', ...parts);
    };
    const hide = () => {
      readout.setAttribute('hidden', 'hidden');
      line.textContent = note;
    };
    const follow = event => {
      const frame = svg.getBoundingClientRect();
      const place = (event.clientX - frame.left) / frame.width * svg.viewBox.baseVal.width;
      show(nearest(steps, box.x0 + (place - box.left) / (box.right - box.left) * (box.x1 - box.x0)));
    };
    svg.addEventListener('pointermove', follow);
    svg.addEventListener('pointerdown', follow);
    svg.addEventListener('pointerleave', hide);
    svg.addEventListener('blur', hide);
    svg.addEventListener('focus', () => { if (current < 0) current = steps.length - 1; line.setAttribute('aria-live', 'polite'); });
    svg.addEventListener('keydown', event => {
      const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -steps.length, End: steps.length }[event.key];
      if (by === undefined) return;
      event.preventDefault();
      show(Math.max(0, Math.min(steps.length - 1, current + by)));
    });
  }

  document.querySelector('.controls')?.removeAttribute('hidden');
  const slider = document.getElementById('smoothing');
  const noisy = charts.flatMap(chart => chart.series.filter(one => one.noisy).map(one => ({ chart, one })));
  if (slider && noisy.length > 0) {
    slider.parentElement.removeAttribute('hidden');
    slider.addEventListener('input', () => {
      const weight = Number(slider.value);
      slider.parentElement.querySelector('output').textContent = weight.toFixed(2);
      for (const { chart, one } of noisy) {
        one.shown = smooth(one.values, weight);
        one.group.querySelector('.smooth').setAttribute('d',
          one.shown.map((value, i) => (i === 0 ? 'M' : 'L') + chart.x(one.steps[i]).toFixed(2) + ' ' + chart.y(value).toFixed(2)).join(''));
      }
    });
  }

  // The section in view is marked in the bar at the top.
  const links = new Map([...document.querySelectorAll('nav a')].map(link => [link.getAttribute('href').slice(1), link]));
  const visible = new Set();
  const watch = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (entry.isIntersecting) visible.add(entry.target.id); else visible.delete(entry.target.id);
    }
    const first = [...links.keys()].find(id => visible.has(id));
    for (const [id, link] of links) {
      if (id === first) link.setAttribute('aria-current', 'true'); else link.removeAttribute('aria-current');
    }
  }, { rootMargin: '-70px 0px -40% 0px' });
  for (const id of links.keys()) watch.observe(document.getElementById(id));
})();
