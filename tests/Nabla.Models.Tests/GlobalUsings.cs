global using Nabla.Core;
global using Nabla.Testing;
global using TorchSharp;
global using static TorchSharp.torch;
global using SafeTensorsFile = Nabla.Testing.SafeTensorsFile; // a reader of its own: the product's is a different one
