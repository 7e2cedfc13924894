using System.Globalization;
using System.Text.Json.Nodes;

namespace Nabla;

/// <summary>
/// Makes the JSON schema (draft 2020-12) of recipes from the same records that recipes are bound to, so that editors complete and check
/// what Nabla accepts. The first line of a recipe can name it: <c># yaml-language-server: $schema=recipe.schema.json</c>.
/// </summary>
public static class RecipeSchema
{
    /// <summary>Creates the schema.</summary>
    /// <param name="registry">The names that a recipe may use.</param>
    public static JsonObject Create(RecipeRegistry registry)
    {
        ArgumentNullException.ThrowIfNull(registry);
        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Nabla recipe",
        };
        var builder = new Builder(registry);
        foreach (var (key, value) in builder.Record(typeof(Recipe), "").ToArray())
        {
            schema[key] = value?.DeepClone();
        }
        if (builder.Definitions() is { Count: > 0 } definitions)
        {
            schema["$defs"] = definitions;
        }
        return schema;
    }

    private sealed class Builder(RecipeRegistry registry)
    {
        private readonly Dictionary<Type, string> _open = [], _recursive = [];

        /// <summary>Groups of keys that hold groups of their own kind (the parts of a schedule), by name.</summary>
        public JsonObject Definitions()
        {
            var definitions = new JsonObject();
            foreach (var (type, path) in _recursive.ToArray())
            {
                definitions[type.Name] = Record(type, path);
            }
            return definitions;
        }

        /// <summary>Schema of a group of keys.</summary>
        public JsonObject Record(Type type, string path, RecipePart? part = null, string? nameKey = null)
        {
            if (_open.TryGetValue(type, out var outer))
            {
                _recursive[type] = outer;
                return new JsonObject { ["$ref"] = $"#/$defs/{type.Name}" };
            }
            _open[type] = path;
            var properties = new JsonObject();
            var required = new JsonArray();
            if (nameKey is not null)
            {
                properties[nameKey] = new JsonObject { ["const"] = part!.Name };
                required.Add(nameKey);
            }
            var defaults = Activator.CreateInstance(type)!;
            foreach (var member in OptionsMembers.Of(type))
            {
                properties[member.Key] = Member(member, defaults, RecipeBinder.Join(path, member.Key));
                if (member.IsRequired)
                {
                    required.Add(member.Key);
                }
            }
            _open.Remove(type);
            var schema = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
            if (required.Count > 0)
            {
                schema["required"] = required;
            }
            var description = part is { Description.Length: > 0 } ? part.Description : XmlDocumentation.Of(type);
            return Describe(schema, description);
        }

        private JsonObject Member(OptionsMember member, object defaults, string path)
        {
            var schema = Value(member.Type, path, OptionsRange.Of(member.Property.DeclaringType!, member), OptionsChoices.Of(member.Property.DeclaringType!, member));
            if (member.AllowsAuto)
            {
                schema = new() { ["anyOf"] = new JsonArray(schema, new JsonObject { ["const"] = "auto" }) };
            }
            if (member.Type.Kind is ValueKind.Boolean or ValueKind.Integer or ValueKind.Number or ValueKind.Text or ValueKind.Enum && !member.IsRequired && member.Get(defaults) is { } value && value is not "")
            {
                schema["default"] = member.Type.Kind switch
                {
                    ValueKind.Boolean => JsonValue.Create((bool)value),
                    ValueKind.Integer => JsonValue.Create(Convert.ToInt64(value, CultureInfo.InvariantCulture)),
                    ValueKind.Number => double.IsFinite(Convert.ToDouble(value, CultureInfo.InvariantCulture)) ? JsonValue.Create(Convert.ToDouble(value, CultureInfo.InvariantCulture)) : null,
                    ValueKind.Enum => JsonValue.Create(OptionsMembers.EnumNames(member.Type.Type).First(name => name.Value.Equals(value)).Name),
                    _ => JsonValue.Create((string)value),
                };
            }
            return Describe(schema, XmlDocumentation.Of(member.Property));
        }

        private JsonObject Value(MemberType type, string path, OptionsRange? range = null, IReadOnlyList<string>? choices = null)
        {
            var schema = type.Kind switch
            {
                ValueKind.Boolean => new JsonObject { ["type"] = "boolean" },
                ValueKind.Integer => Bound(new JsonObject { ["type"] = "integer" }, range),
                ValueKind.Number => Bound(new JsonObject { ["type"] = "number" }, range),
                ValueKind.Text => Text(path, choices),
                ValueKind.Character => new JsonObject { ["type"] = "string", ["minLength"] = 1, ["maxLength"] = 1 },
                ValueKind.Enum => new JsonObject { ["enum"] = Strings(OptionsMembers.EnumNames(type.Type).Select(value => value.Name)) },
                ValueKind.List => new JsonObject { ["type"] = "array", ["items"] = Value(type.Element!, path + "[]") },
                ValueKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Value(type.Element!, path + ".*") },
                ValueKind.Part => Part(RecipeParts.Of(type.Type), path),
                _ => Named(type.Type, path),
            };
            return type.AllowsNull ? OrNull(schema) : schema;
        }

        /// <summary>A group of keys, or its bare name where it has one: <c>optimizer: adamw</c>.</summary>
        private JsonObject Named(Type type, string path)
        {
            var record = Record(type, path);
            var hasName = OptionsMembers.Of(type).Any(member => member is { Key: "name", Type.Kind: ValueKind.Text });
            var forms = new JsonArray(record);
            if (hasName)
            {
                forms.Add(Text(RecipeBinder.Join(path, "name")));
            }
            if (!OptionsMembers.Of(type).Any(member => member.IsRequired))
            {
                forms.Add(new JsonObject { ["type"] = "null" }); // "training:" with nothing below is all defaults
            }
            return forms.Count == 1 ? (JsonObject)record.DeepClone() : new JsonObject { ["anyOf"] = forms };
        }

        private JsonObject Part(RecipeParts parts, string path)
        {
            var forms = new JsonArray();
            var registered = parts.Registered(registry);
            if (registered.Count > 0)
            {
                forms.Add(new JsonObject { ["enum"] = Strings(registered.Select(part => part.Name)) });
            }
            foreach (var part in registered)
            {
                forms.Add(parts.IsListItem
                    ? new JsonObject
                    {
                        ["type"] = "object",
                        ["properties"] = new JsonObject { [part.Name] = OrNull(Record(part.OptionsType, RecipeBinder.Join(path, part.Name), part)) },
                        ["required"] = Strings([part.Name]),
                        ["additionalProperties"] = false,
                    }
                    : Record(part.OptionsType, path, part, parts.NameKey));
            }
            return forms.Count == 0 ? [] : new JsonObject { ["anyOf"] = forms };
        }

        private JsonObject Text(string path, IReadOnlyList<string>? choices = null) => (registry.NamesAt(path)?.Select(name => name.Name) ?? choices) is { } names
            ? new JsonObject { ["enum"] = Strings(names) }
            // The binder takes any plain scalar for text: "name: 3".
            : new JsonObject { ["type"] = Strings(["string", "number", "boolean"]) };

        private static JsonObject Bound(JsonObject schema, OptionsRange? range)
        {
            if (range?.Minimum is { } minimum)
            {
                schema[range.ExcludesMinimum ? "exclusiveMinimum" : "minimum"] = minimum;
            }
            if (range?.Maximum is { } maximum)
            {
                schema[range.ExcludesMaximum ? "exclusiveMaximum" : "maximum"] = maximum;
            }
            return schema;
        }

        private static JsonObject OrNull(JsonObject schema)
        {
            if (schema["type"] is JsonValue type && type.TryGetValue<string>(out var name) && !schema.ContainsKey("enum"))
            {
                schema["type"] = Strings([name, "null"]);
                return schema;
            }
            if (schema["enum"] is JsonArray names)
            {
                names.Add(null);
                return schema;
            }
            if (schema["anyOf"] is JsonArray forms)
            {
                forms.Add(new JsonObject { ["type"] = "null" });
                return schema;
            }
            return new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
        }

        private static JsonObject Describe(JsonObject schema, string? description)
        {
            if (!string.IsNullOrEmpty(description))
            {
                schema["description"] = description;
            }
            return schema;
        }

        private static JsonArray Strings(IEnumerable<string> values) => [.. values.Select(value => JsonValue.Create(value))];
    }
}
