global using Nabla.Core;
global using Nabla.Testing;
global using TorchSharp;
global using static TorchSharp.torch;
