//! Error bodies of common frameworks, and malformed ones.

use super::*;

fn line(body: &str) -> Option<String> {
    ErrorBody::parse(None, body.as_bytes()).line()
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn extracts_messages_of_common_frameworks() {
    for (framework, body, expected) in [
        (
            "the published body",
            r#"{"timestamp":"2023-09-21T12:45:00Z","message":"No such dossier."}"#,
            "No such dossier.",
        ),
        (
            "Spring Boot",
            r#"{"timestamp":1695300300000,"status":400,"error":"Bad Request","message":"Validation failed.","path":"/api/x","errors":[{"codes":["NotBlank"],"defaultMessage":"must not be blank","objectName":"dossier","field":"name","rejectedValue":""}]}"#,
            "Validation failed: name: must not be blank",
        ),
        (
            "Spring Boot without a message",
            r#"{"timestamp":"x","status":404,"error":"Not Found","message":"","path":"/api"}"#,
            "Not Found",
        ),
        (
            "RFC 9457",
            r#"{"type":"about:blank","title":"Busy","status":409,"detail":"Come later.","instance":"/x"}"#,
            "Come later.",
        ),
        (
            "RFC 9457 with parameters",
            r#"{"title":"Your request is not valid.","invalid-params":[{"name":"age","reason":"must be positive"}]}"#,
            "Your request is not valid: age: must be positive",
        ),
        (
            "ASP.NET",
            r#"{"type":"https://x","title":"One or more validation errors occurred.","status":400,"traceId":"00-1","errors":{"Name":["The Name field is required.","Too short."]}}"#,
            "One or more validation errors occurred: Name: The Name field is required.; Too short.",
        ),
        (
            "ASP.NET Web API",
            r#"{"Message":"The request is invalid.","ModelState":{"model.Name":["Required."]}}"#,
            "The request is invalid: model.Name: Required.",
        ),
        (
            "NestJS",
            r#"{"statusCode":400,"message":["name should not be empty","name must be a string"],"error":"Bad Request"}"#,
            "name should not be empty; name must be a string",
        ),
        (
            "FastAPI",
            r#"{"detail":[{"loc":["body","items",0,"name"],"msg":"field required","type":"missing"}]}"#,
            "body.items.0.name: field required",
        ),
        ("FastAPI with a text", r#"{"detail":"Not Found"}"#, "Not Found"),
        (
            "JSON:API",
            r#"{"errors":[{"status":"422","source":{"pointer":"/data/name"},"title":"Invalid Attribute","detail":"Must contain three characters."}]}"#,
            "/data/name: Must contain three characters.",
        ),
        ("Google", r#"{"error":{"code":404,"message":"Not there.","status":"NOT_FOUND","details":[]}}"#, "Not there."),
        ("OAuth", r#"{"error":"invalid_token","error_description":"The token expired."}"#, "The token expired."),
        ("OAuth without a description", r#"{"error":"invalid_token"}"#, "invalid_token"),
        (
            "Quarkus",
            r#"{"details":"Error id 2f3c, java.lang.RuntimeException: boom","stack":"java…"}"#,
            "Error id 2f3c, java.lang.RuntimeException: boom",
        ),
        (
            "Quarkus violations",
            r#"{"title":"Constraint Violation","status":400,"violations":[{"field":"create.name","message":"must not be blank"}]}"#,
            "Constraint Violation: create.name: must not be blank",
        ),
        (
            "Django REST",
            r#"{"email":["Enter a valid address."],"name":["This field is required."]}"#,
            "email: Enter a valid address.; name: This field is required.",
        ),
        (
            "Laravel",
            r#"{"message":"The given data was invalid.","errors":{"email":["The email field is required."]}}"#,
            "The given data was invalid: email: The email field is required.",
        ),
        ("AWS", r#"{"__type":"AccessDeniedException","Message":"User is not authorized"}"#, "User is not authorized"),
        (
            "Apigee",
            r#"{"fault":{"faultstring":"Invalid ApiKey","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}"#,
            "Invalid ApiKey",
        ),
        (
            "OData",
            r#"{"odata.error":{"code":"","message":{"lang":"en-US","value":"Resource not found."}}}"#,
            "Resource not found.",
        ),
        ("Salesforce", r#"[{"message":"Session expired","errorCode":"INVALID_SESSION_ID"}]"#, "Session expired"),
        (
            "Elasticsearch",
            r#"{"error":{"root_cause":[],"type":"index_not_found","reason":"no such index"},"status":404}"#,
            "no such index",
        ),
        ("GraphQL", r#"{"errors":[{"message":"Not allowed","locations":[{"line":1}],"path":["x"]}]}"#, "Not allowed"),
        ("Atlassian", r#"{"errorMessages":["Issue does not exist"],"errors":{}}"#, "Issue does not exist"),
        (
            "Micronaut",
            r#"{"message":"Bad Request","_embedded":{"errors":[{"message":"name: must not be blank"}]},"_links":{}}"#,
            "Bad Request: name: must not be blank",
        ),
        (
            "Symfony",
            r#"{"@type":"hydra:Error","hydra:title":"An error occurred","hydra:description":"Not Found"}"#,
            "Not Found",
        ),
        ("Rails", r#"{"errors":{"name":["can't be blank"]}}"#, "name: can't be blank"),
        ("Dropwizard", r#"{"errors":["name may not be null"]}"#, "name may not be null"),
        (
            "an envelope",
            r#"{"success":false,"response":{"status":{"code":7,"message":"Quota used up"}}}"#,
            "Quota used up",
        ),
        ("a text", r#""No such dossier.""#, "No such dossier."),
        (
            "XML",
            "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>Tom &amp; Jerry</Message></Error>",
            "Tom & Jerry",
        ),
        (
            "SOAP",
            "<s:Envelope xmlns:s=\"x\"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring xml:lang=\"en\"><![CDATA[Bad <input>]]></faultstring></s:Fault></s:Body></s:Envelope>",
            "Bad <input>",
        ),
    ] {
        assert_eq!(line(body).as_deref(), Some(expected), "{framework}");
    }
    let plain = ErrorBody::parse(Some("text/plain; charset=utf-8"), b"404 page not found\n");
    assert_eq!(plain.message.as_deref(), Some("404 page not found"));
}

#[test]
fn skips_members_of_unexpected_type() {
    for odd in ["7", "true", "null", "[]", "{}", r#"" ""#, "[null,7]", r#"{"a":{"b":[]}}"#] {
        for (body, expected) in [
            (format!(r#"{{"message":{odd},"detail":"Said here."}}"#), "Said here."),
            (format!(r#"{{"error":{odd},"message":"Said here."}}"#), "Said here."),
            (format!(r#"{{"timestamp":{odd},"title":"Said here.","detail":{odd}}}"#), "Said here."),
            (format!(r#"{{"error":{{"message":{odd},"reason":"Said here."}}}}"#), "Said here."),
            (format!(r#"{{"errors":[{odd},{{"msg":"Said here."}}]}}"#), "Said here."),
            (format!(r#"{{"status":{odd},"path":{odd},"error":"Said here."}}"#), "Said here."),
        ] {
            assert_eq!(line(&body).as_deref(), Some(expected), "{body}");
        }
    }
}

#[test]
fn reads_timestamp_as_text_or_number() {
    let timestamp = |body: &str| ErrorBody::parse(None, body.as_bytes()).timestamp;
    assert_eq!(timestamp(r#"{"timestamp":"2023-09-21T12:45:00Z"}"#).as_deref(), Some("2023-09-21T12:45:00Z"));
    assert_eq!(timestamp(r#"{"timestamp":1695300300000,"message":"x"}"#).as_deref(), Some("1695300300000"));
    assert_eq!(timestamp(r#"{"error":{"timestamp":1695300300.5}}"#).as_deref(), Some("1695300300.5"));
    assert_eq!(timestamp(r#"{"timestamp":[2023,9,21],"message":"x"}"#), None);
    assert_eq!(timestamp("<Map><timestamp>2023</timestamp><message>x</message></Map>").as_deref(), Some("2023"));
}

#[test]
fn returns_none_without_message_and_bounds_long_or_deep_bodies() {
    for body in [
        "",
        "{}",
        "[]",
        "7",
        "null",
        "nonsense",
        r#"{"code":7,"ok":false}"#,
        "<html><body>502</body></html>",
        "<!DOCTYPE html><p>x",
        "<a",
    ] {
        assert_eq!(line(body), None, "{body}");
    }
    let deep = format!("{}{}{}", r#"{"error":"#.repeat(100), r#"{"message":"deep"}"#, "}".repeat(100));
    assert_eq!(line(&deep), None);
    let many: Vec<String> = (0..1000).map(|number| format!(r#"{{"message":"fault {number}"}}"#)).collect();
    let line_of_many = line(&format!(r#"{{"errors":[{}]}}"#, many.join(","))).unwrap_or_default();
    assert!(line_of_many.ends_with("fault 7; 992 more"), "{line_of_many}");
    assert_eq!(line(r#"{"message":"Before the cut.","trace":"at x"#).as_deref(), Some("Before the cut."));
}
