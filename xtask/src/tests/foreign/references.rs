//! References without a target.

use super::*;

#[test]
fn reports_dangling_reference_first_with_its_pointer() {
    for (reference, reason) in [
        ("#/components/schemas/Gone", "dangling reference"),
        ("#/components/schemas/licenseusage", "did you mean #/components/schemas/LicenseUsage?"),
        ("#/components/schema/License", "dangling reference"),
        ("#/components/schemas/License~2", "escape `~` as `~0`"),
        ("#/components/schemas/License/properties/none", "dangling reference"),
        ("#components/schemas/License", "a JSON pointer starts with `#/`"),
        ("#License", "a JSON pointer starts with `#/`"),
        ("#/info/title", "the target is not an object"),
        ("License", "#/components/schemas/License refers to a schema"),
        ("models.yaml#/License", "which is never followed"),
        ("../x.json", "which is never followed"),
        ("https://acme.example/models.json#/License", "nothing is fetched over https"),
        ("file:///etc/passwd", "nothing is fetched over file"),
    ] {
        let findings = changed(|document| {
            answer(
                &mut document["paths"]["/api/license"]["get"],
                json!({"application/json": {"schema": {"$ref": reference}}}),
            );
        });
        let findings = findings.err().unwrap_or_default();
        assert_eq!(findings.len(), 1, "{reference}: {findings:#?}");
        assert!(
            findings[0].starts_with("getLicense: ") && findings[0].contains(&format!(" reference {reference}")),
            "{findings:#?}"
        );
        assert!(findings[0].contains(reason), "{reason}: {findings:#?}");
        let place = "(/paths/~1api~1license/get/responses/200/content/application~1json/schema)";
        assert!(findings[0].ends_with(place), "{findings:#?}");
    }
}

#[test]
fn reports_all_dangling_references_before_other_findings() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let findings = changed(|document| {
        document["components"]["schemas"]["DownloadState"]["enum"] = json!(["QUEUED"]);
        document["components"]["schemas"]["Loop"] = reference("Loop");
        document["components"]["schemas"]["Whole"] = json!({"allOf": [reference("Lost"), {"type": "object"}]});
        let file = &mut document["components"]["schemas"]["FileStatus"]["properties"];
        file["one"] = json!({"type": "array", "items": reference("Missing")});
        document["components"]["responses"]["Shared"] =
            json!({"description": "", "content": {"application/json": {"schema": reference("Absent")}}});
        document["paths"]["/api/license"]["get"]["responses"]["200"] = json!({"$ref": "#/components/responses/Shared"});
        document["paths"]["/api/users"]["get"]["parameters"] = json!([{"$ref": "#/components/parameters/None"}]);
        // Unused members.
        document["paths"]["/api/users"]["get"]["responses"]["404"] = json!({"$ref": "#/components/responses/None"});
        document["components"]["responses"]["Unused"] =
            json!({"description": "", "content": {"application/json": {"schema": reference("Unread")}}});
    });
    let findings = findings.err().unwrap_or_default();
    let wanted = [
        "dangling reference #/components/schemas/Absent (/components/responses/Shared/content/application~1json/schema)",
        "dangling reference #/components/schemas/Missing (/components/schemas/FileStatus/properties/one/items)",
        "cyclic reference #/components/schemas/Loop (/components/schemas/Loop)",
        "dangling reference #/components/schemas/Lost (/components/schemas/Whole/allOf/0)",
        "getUsers: dangling reference #/components/parameters/None (/paths/~1api~1users/get/parameters/0)",
    ];
    assert_eq!(findings[..wanted.len()], wanted, "{findings:#?}");
    assert!(findings.iter().any(|finding| finding.contains("READY")), "{findings:#?}");
    assert!(
        !findings.iter().any(|finding| finding.contains("Unread") || finding.contains("holds no object")),
        "{findings:#?}"
    );
}

#[test]
fn truncates_long_list_of_dangling_references() {
    let properties: serde_json::Map<String, Value> = (0..500)
        .map(|number| (format!("p{number}"), json!({"$ref": format!("#/components/schemas/No{number}")})))
        .collect();
    let findings = refused(&document(json!({}), json!({"A": {"type": "object", "properties": properties}})));
    let bad = findings.iter().filter(|finding| finding.contains("dangling reference")).count();
    assert!(bad == 50, "{bad}");
    assert!(findings.contains(&String::from("450 more references cannot be resolved ()")), "{findings:#?}");
}

// Texts that are no texts.
