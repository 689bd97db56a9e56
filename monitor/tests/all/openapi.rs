//! The data is as `/openapi.json` says, and nothing that it says is missing there.

use crate::serving::{Running, ago, fresh};
use serde_json::Value;

/// Checks a value against a schema of the document, as far as the document uses JSON Schema.
struct Document(Value);

impl Document {
    fn problems(&self, value: &Value, schema: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let schema = self.0.pointer(reference.trim_start_matches('#'));
            return self.problems(value, schema.unwrap_or_else(|| panic!("{reference} is missing")), at, found);
        }
        if let Some(options) = schema["anyOf"].as_array() {
            let fits = |option: &&Value| {
                let mut problems = Vec::new();
                self.problems(value, option, at, &mut problems);
                problems.is_empty()
            };
            if options.iter().filter(fits).count() != 1 {
                found.push(format!("{at}: {value} is none of the forms"));
            }
            return;
        }
        let is_const = schema.get("const").is_none_or(|expected| expected == value);
        let in_enum = schema["enum"].as_array().is_none_or(|values| values.contains(value));
        if !is_const || !in_enum {
            found.push(format!("{at}: {value} is not allowed"));
        }
        match (schema["type"].as_str(), value) {
            (Some("object"), Value::Object(fields)) => {
                for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    if !fields.contains_key(name) {
                        found.push(format!("{at}: {name} is missing"));
                    }
                }
                for (name, value) in fields {
                    match schema["properties"].get(name) {
                        Some(schema) => self.problems(value, schema, &format!("{at}.{name}"), found),
                        None => found.push(format!("{at}: {name} is not described")),
                    }
                }
            }
            (Some("array"), Value::Array(items)) => {
                items.iter().for_each(|item| self.problems(item, &schema["items"], &format!("{at}[]"), found));
            }
            (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) | (Some("null"), Value::Null) => {}
            (Some("integer"), Value::Number(number)) if number.is_u64() => {}
            (None, _) => {}
            (Some(kind), _) => found.push(format!("{at}: {value} is not of type {kind}")),
        }
    }
}

#[tokio::test]
async fn every_answer_is_as_described() {
    let mut world = fresh();
    let mut other = world.log.split(world.path("other"));
    other.append("another history\n");
    other.publish(ago(60));
    world.log.charter(|charter| charter.limits.max_added = 700);
    world.log.append("no statement\n");
    world.log.publish(ago(60));
    let running = Running::start(&world, vec![world.log.source(), other.source()]).await;
    running.page().await;
    let document = Document(serde_json::from_str(&running.get("/openapi.json").await.body).unwrap());
    let paths = document.0["paths"].as_object().unwrap();
    for (path, template) in [
        ("/logs.json", "/logs.json"),
        ("/report.json", "/report.json"),
        ("/log.json", "/log.json"),
        ("/findings.json", "/findings.json"),
        ("/list/hotline.example/images.json", "/list/{name}.json"),
        ("/entry/1.json", "/entry/{index}.json"),
        ("/entry/5.json", "/entry/{index}.json"),
    ] {
        let answer = running.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        let schema = &paths[template]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let mut problems = Vec::new();
        document.problems(&serde_json::from_str(&answer.body).unwrap(), schema, "", &mut problems);
        assert_eq!(problems, [""; 0], "{path}");
    }
    // Every path that is described is there.
    for path in paths.keys() {
        let filled =
            path.replace("{name}", "hotline.example/images").replace("{index}", "0").replace("{path}", "checkpoint");
        if !filled.contains('{') && paths[path].get("get").is_some() {
            assert_eq!(running.get(&filled).await.status, 200, "{filled}");
        }
    }
    running.stop().await;
}
