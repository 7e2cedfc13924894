namespace Nabla.Core.Native;

/// <summary>
/// Large blocks of memory that are used again. Blocks come in sizes an eighth of a power of two apart and never split, so a block that is freed
/// fits the next one of its kind whatever was allocated between; what steps of the same shapes need is there after the first of them.
/// What lies idle is bounded by what was in use at once. Thread-safe.
/// </summary>
/// <param name="pages">Where memory comes from.</param>
internal sealed class BlockCache(IPageSource pages)
{
    private const long PageSize = 4096;
    private const int Window = 8192; // blocks taken; some hundred steps
    private const long AlwaysKept = 64L << 20; // bytes
    private const int MostBlocks = 16_384; // a process may have 65,530 mappings
    private const int LargerSizes = 2; // how much larger a block may be that is given: at most a quarter
    private const int Colors = 13, ColorStep = 320; // bytes, whole cache lines
    private readonly Lock _lock = new();
    private readonly Dictionary<nint, Block> _used = [];
    private readonly Dictionary<long, List<Block>> _idle = []; // by size; in each list the longest idle one is first
    private long _inUse, _kept, _peak, _lastPeak, _time;
    private uint _made;
    private int _taken, _blocks;

    /// <summary>Bytes in blocks that are in use.</summary>
    public long BytesInUse => Volatile.Read(ref _inUse);

    /// <summary>Bytes in blocks that wait for their next use.</summary>
    public long BytesKept => Volatile.Read(ref _kept);

    /// <summary>Takes a block; its content is undefined.</summary>
    /// <param name="bytes">Its least size.</param>
    /// <returns>Where it begins, on the boundary of a cache line; 0 when the system gives no more memory.</returns>
    public nint Take(long bytes)
    {
        var size = SizeOf(bytes);
        lock (_lock)
        {
            if ((TakeIdle(size) ?? MakeWithin(size) ?? MakeAlone(size)) is not { } block)
            {
                return 0;
            }
            _used.Add(block.Address, block);
            _inUse += block.Size;
            _peak = Math.Max(_peak, _inUse);
            if (++_taken == Window)
            {
                (_taken, _lastPeak, _peak) = (0, _peak, _inUse);
            }
            return block.Address;
        }
    }

    /// <summary>Gives a block back.</summary>
    /// <param name="address">Where it begins.</param>
    /// <returns>False when it is no block of this cache.</returns>
    public bool Return(nint address)
    {
        lock (_lock)
        {
            if (!_used.Remove(address, out var block))
            {
                return false;
            }
            _inUse -= block.Size;
            block.IdleSince = _time++;
            if (!_idle.TryGetValue(block.Size, out var idle))
            {
                _idle.Add(block.Size, idle = []);
            }
            idle.Add(block);
            _kept += block.Size;
            while (_kept > Math.Max(AlwaysKept, Math.Max(_peak, _lastPeak)))
            {
                ReleaseOldest();
            }
            return true;
        }
    }

    /// <summary>Gives all idle blocks back to the system.</summary>
    public void Trim()
    {
        lock (_lock)
        {
            ReleaseIdle();
            (_peak, _lastPeak) = (_inUse, 0);
        }
    }

    /// <summary>The size of the block for so many bytes: the next of those that lie an eighth of a power of two apart, whole pages.</summary>
    internal static long SizeOf(long bytes)
    {
        var step = Math.Max(PageSize, (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)bytes) / 16);
        return (bytes + step - 1) / step * step;
    }

    private Block? TakeIdle(long size)
    {
        for (var larger = 0; larger <= LargerSizes; larger++)
        {
            if (_idle.TryGetValue(size, out var idle) && idle.Count > 0)
            {
                var block = idle[^1]; // the caches may still hold it
                idle.RemoveAt(idle.Count - 1);
                _kept -= block.Size;
                return block;
            }
            size = SizeOf(size + 1);
        }
        return null;
    }

    /// <summary>Makes a block; what others were used for is given back where all together would be far more than was ever in use at once.</summary>
    private Block? MakeWithin(long size)
    {
        var most = Math.Max(AlwaysKept, Math.Max(Math.Max(_peak, _lastPeak), _inUse + size) / 2 * 3);
        while (_kept > 0 && _inUse + _kept + size > most)
        {
            ReleaseOldest();
        }
        return Make(size);
    }

    /// <summary>Makes a block once the system has all the idle ones back.</summary>
    private Block? MakeAlone(long size)
    {
        ReleaseIdle();
        return Make(size);
    }

    private Block? Make(long size)
    {
        if (_blocks == MostBlocks)
        {
            return null;
        }
        // Blocks begin at different places of a page: entries with the same number of several tensors would else share a few lines of the first-level cache.
        var start = pages.Map(size + PageSize);
        if (start == 0)
        {
            return null;
        }
        _blocks++;
        return new(start, start + (nint)(_made++ % Colors * ColorStep), size);
    }

    private void ReleaseOldest()
    {
        List<Block>? oldest = null;
        foreach (var idle in _idle.Values)
        {
            if (idle.Count > 0 && (oldest is null || idle[0].IdleSince < oldest[0].IdleSince))
            {
                oldest = idle;
            }
        }
        Release(oldest![0]);
        oldest.RemoveAt(0);
    }

    private void ReleaseIdle()
    {
        foreach (var idle in _idle.Values)
        {
            idle.ForEach(Release);
        }
        _idle.Clear();
    }

    private void Release(Block block)
    {
        pages.Unmap(block.Start, block.Size + PageSize);
        _kept -= block.Size;
        _blocks--;
    }

    private sealed class Block(nint start, nint address, long size)
    {
        public nint Start => start;

        public nint Address => address;

        public long Size => size;

        public long IdleSince { get; set; }
    }
}

/// <summary>Gives and takes memory in whole pages.</summary>
internal interface IPageSource
{
    /// <summary>Takes pages, cleared or not.</summary>
    /// <param name="bytes">How many bytes, whole pages.</param>
    /// <returns>Where they begin, 0 when there are no more.</returns>
    nint Map(long bytes);

    /// <summary>Gives pages back.</summary>
    /// <param name="start">Where they begin.</param>
    /// <param name="bytes">As they were taken.</param>
    void Unmap(nint start, long bytes);
}
