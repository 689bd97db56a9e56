//! The description for programs says what the service does.

use crate::world::{Service, file, hex, limits, near};
use isonomy_match_server::http::OPENAPI;
use serde_json::{Value, json};

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

/// Follows a reference within the document.
fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str() {
        Some(path) => document.pointer(path.trim_start_matches('#')).unwrap_or_else(|| panic!("no {path}")),
        None => schema,
    }
}

/// Every field of `value` is described, has the type that is described, and none that is required is missing.
fn check(document: &Value, schema: &Value, value: &Value, at: &str) {
    let schema = resolve(document, schema);
    let types = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        other => panic!("{at}: no type but {other}"),
    };
    let found = match value {
        Value::Null => "null",
        Value::Number(number) if number.is_u64() && types.contains(&"integer") => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
        Value::Bool(_) => "boolean",
    };
    assert!(types.contains(&found), "{at}: {found}, not {types:?}");
    if let Some(known) = schema["enum"].as_array() {
        assert!(known.contains(value), "{at}: {value}");
    }
    for (number, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{at}[{number}]"));
    }
    if let (Some(fields), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, field) in fields {
            let property = properties.get(name).unwrap_or_else(|| panic!("{at}.{name} is not described"));
            check(document, property, field, &format!("{at}.{name}"));
        }
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert!(fields.contains_key(required), "{at}.{required} is missing");
        }
    }
}

#[tokio::test]
async fn answers_are_as_described() {
    let limits = limits(|limits| limits.image.file_bytes = (1 << 20) - 1);
    let service = Service::with(100, limits).await;
    let (document, hash) = (document(), hex(&near(7, 3)));
    let (unknown, picture) = ("/v1/receipt?list=hotline.example/images&entry=00", file("photos/coins.png"));
    let many = json!({ "hashes": [{ "algorithm": "pdq/full", "hash": hash, "quality": 1 }] }).to_string().into_bytes();
    let mut described = Vec::new();
    for (method, path, query, body, status) in [
        ("get", "/v1/lists", "", None, "200"),
        ("get", "/v1/lookup", &*format!("?algorithm=pdq/full&hash={hash}"), None, "200"),
        ("get", "/v1/lookup", "?algorithm=pdq/full&hash=", None, "400"),
        ("get", "/v1/lookup", &*format!("?algorithm=pdq/full&hash={hash}&list=a/b"), None, "404"),
        ("post", "/v1/lookup", "", Some(many), "200"),
        ("post", "/v1/lookup", "", Some(b"{".to_vec()), "400"),
        ("post", "/v1/match", "", Some(picture.clone()), "200"),
        ("post", "/v1/match", "", Some(Vec::new()), "400"),
        ("post", "/v1/match", "?list=a/b", Some(vec![1]), "404"),
        ("post", "/v1/match", "", Some(vec![0; 1 << 20]), "413"),
        ("post", "/v1/lookup", "", Some(vec![b' '; 300_000]), "413"),
        ("post", "/v1/hash", "?orientations=all", Some(picture), "200"),
        ("get", "/v1/receipt", &unknown["/v1/receipt".len()..], None, "404"),
        ("get", "/v1/receipt", &*format!("?list=hotline.example/images&entry={}", hex(&near(7, 0))), None, "200"),
        ("get", "/openapi.json", "", None, "200"),
        ("get", "/healthz", "", None, "200"),
        ("get", "/metrics", "", None, "200"),
    ] {
        let (found, answer) = match body {
            Some(body) => service.post(&format!("{path}{query}"), &body).await,
            None => service.get(&format!("{path}{query}")).await,
        };
        assert_eq!(found.to_string(), status, "{method} {path}{query}: {}", String::from_utf8_lossy(&answer));
        let content = &document["paths"][path][method]["responses"][status]["content"];
        match content.get("application/json") {
            Some(media) => check(&document, &media["schema"], &serde_json::from_slice(&answer).unwrap(), path),
            None => assert!(content.get("text/plain").is_some(), "{method} {path} {status} is not described"),
        }
        described.push((method, path));
    }
    // Whatever is asked with another method, or in a form, is refused as described.
    for (path, methods) in document["paths"].as_object().unwrap() {
        let (status, answer) = service.ask("DELETE", path, "").await;
        assert_eq!(status, 405, "{path}");
        for method in methods.as_object().unwrap().values() {
            let schema = &method["responses"]["405"]["content"]["application/json"]["schema"];
            check(&document, schema, &serde_json::from_slice(&answer).unwrap(), path);
            let takes_file = method["responses"].get("408").is_some();
            let form = "content-type: multipart/form-data; boundary=x\r\ncontent-length: 0\r\n";
            assert!(!takes_file || service.ask("POST", path, form).await.0 == 415, "{path}");
            assert!(!takes_file || method["responses"].get("415").is_some(), "{path}");
        }
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            assert!(described.contains(&(method, path)), "{method} {path} is described, but not held");
        }
    }
    service.stop().await;
}
