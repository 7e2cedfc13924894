global using Nabla.Core;
global using TorchSharp;
global using static TorchSharp.torch;
