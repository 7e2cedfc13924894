global using Nabla.Core;
global using TorchSharp;
global using static TorchSharp.torch;
global using static TorchSharp.torch.nn;
global using TorchSharp.Modules;
