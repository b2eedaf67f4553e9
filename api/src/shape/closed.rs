//! Says in the description that the body of a request has no other fields than those described.
//!
//! Whoever reads a body refuses what it does not know (`json`), for a mistyped field that is passed over is a wish that is not
//! done. `poem_openapi` reads so too, and has no word for it. Answers are left open: they gain fields.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Where descriptions of types are.
const SCHEMAS: &str = "#/components/schemas/";

/// The document with each object closed that a request may hold, and no answer.
pub(crate) fn close_requests(document: &mut Value) {
    let (asked, answered) = (held(document, "requestBody"), held(document, "responses"));
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return;
    };
    for name in asked.difference(&answered) {
        let object =
            schemas.get_mut(name).and_then(Value::as_object_mut).filter(|o| o.contains_key("properties"));
        if let Some(object) = object {
            object.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
}

/// The names of all types below this part of the operations.
fn held(document: &Value, part: &str) -> BTreeSet<String> {
    let paths = document["paths"].as_object().into_iter().flat_map(Map::values);
    let operations = paths.filter_map(Value::as_object).flat_map(Map::values);
    let mut found = BTreeSet::new();
    let mut open: Vec<&Value> = operations.map(|operation| &operation[part]).collect();
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => open.extend(fields.values()),
            Value::Array(items) => open.extend(items),
            Value::String(text) => {
                if let Some(name) = text.strip_prefix(SCHEMAS)
                    && found.insert(name.to_owned())
                {
                    open.push(&document["components"]["schemas"][name]);
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_only_asked_is_closed_with_what_is_in_it() {
        let object =
            |of: &str| json!({"type": "object", "properties": {"a": {"$ref": format!("{SCHEMAS}{of}")}}});
        let body = |of: &str| json!({"content": {"application/json": {"schema": {"$ref": format!("{SCHEMAS}{of}")}}}});
        let mut document = json!({
            "paths": {"/a": {"post": {"requestBody": body("Ask"), "responses": {"200": body("Told")}}}},
            "components": {"schemas": {
                "Ask": object("Within"), "Within": object("Ask"), "Told": object("Both"), "Other": object("Told"),
                "Both": {"type": "object", "properties": {}}, "Text": {"type": "string"},
            }},
        });
        document["components"]["schemas"]["Ask"]["properties"]["b"] =
            json!({"$ref": format!("{SCHEMAS}Both")});
        document["components"]["schemas"]["Ask"]["properties"]["c"] =
            json!({"$ref": format!("{SCHEMAS}Text")});
        close_requests(&mut document);
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let closed = |(_, schema): &(&String, &Value)| schema["additionalProperties"] == json!(false);
        let closed: Vec<&String> = schemas.iter().filter(closed).map(|(name, _)| name).collect();
        assert_eq!(closed, ["Ask", "Within"]);
    }
}
