global using Nabla.Core;
global using Nabla.Nn;
global using TorchSharp;
global using TorchSharp.Modules;
global using static TorchSharp.torch;
global using static TorchSharp.torch.nn;
