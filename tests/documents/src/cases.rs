//! The cases: the variants of each document, and the expected outcome.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::format::Format;
use crate::variants::{Variant, variants};

/// A document and its expected outcome.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name on the command line and of the file.
    pub name: &'static str,
    /// Changes to the reconstruction, in this order.
    pub variants: &'static [Variant],
    /// Text format.
    pub format: Format,
    /// Change to the text.
    pub edit_text: Option<fn(String) -> String>,
    /// Operations that the user accepts as missing.
    pub accept_missing: &'static [&'static str],
    /// The user's mappings of operations.
    pub map: &'static [(&'static str, &'static str)],
    /// Expected outcome.
    pub expected: Expected,
}

/// Expected outcome of a document.
#[derive(Clone, Debug)]
pub enum Expected {
    /// The client can be built from the document.
    Accepted {
        /// Depth of the check.
        check: CheckLevel,
        /// Parts of the report. `one|other`: either.
        messages: &'static [&'static str],
    },
    /// The document is refused with a message that contains all of these parts. `one|other`: either.
    Refused(&'static [&'static str]),
}

/// Depth of the check of an accepted document. Each level includes the lower ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckLevel {
    /// `regen --from FILE --dry-run`: the passes, the generator, the syntax of the generated source.
    Generate,
    /// `cargo check` of the client, the facade and the examples, without a warning.
    Compile,
    /// All tests of the workspace, and the example.
    Test,
}

impl Case {
    /// Makes the document.
    pub fn document(&self, reconstruction: &Value) -> Value {
        let mut document = reconstruction.clone();
        for variant in self.variants {
            (variant.apply)(&mut document);
        }
        document
    }

    /// Makes the text of the document.
    pub fn text(&self, reconstruction: &Value) -> String {
        let text = self.format.write(&self.document(reconstruction));
        self.edit_text.map_or_else(|| text.clone(), |edit| edit(text.clone()))
    }

    /// Returns the name of the file.
    pub fn file(&self) -> String {
        format!("{}.{}", self.name, self.format.extension())
    }

    /// Returns the name of the file with the user's decisions, if there are any.
    pub fn decisions_file(&self) -> Option<String> {
        let has_decisions = !self.accept_missing.is_empty() || !self.map.is_empty();
        has_decisions.then(|| format!("{}.mapping.toml", self.name))
    }

    /// Returns the user's decisions as options of `regen`.
    pub fn arguments(&self) -> Vec<String> {
        let missing = self.accept_missing.iter().flat_map(|id| [String::from("--accept-missing"), (*id).to_owned()]);
        let map = self.map.iter().flat_map(|(id, place)| [String::from("--map"), format!("{id}={place}")]);
        missing.chain(map).collect()
    }

    fn decisions(&self) -> String {
        let mut text = format!("accept_missing = {:?}\n\n[map]\n", self.accept_missing);
        for (id, place) in self.map {
            let _ = writeln!(text, "{id} = {place:?}");
        }
        text
    }

    /// Writes the files of the case to `folder`.
    pub fn write(&self, reconstruction: &Value, folder: &Path) -> Result<(), String> {
        let decisions = self.decisions_file().map(|file| (file, self.decisions()));
        for (file, text) in [(self.file(), self.text(reconstruction))].into_iter().chain(decisions) {
            let path = folder.join(file);
            // An unchanged file keeps its time, so that cargo does not rebuild.
            if fs::read_to_string(&path).is_ok_and(|existing| existing == text) {
                continue;
            }
            fs::write(&path, text).map_err(|error| format!("write {}: {error}", path.display()))?;
        }
        Ok(())
    }

    fn format(self, format: Format) -> Self {
        Self { format, ..self }
    }

    fn edit_text(self, edit: fn(String) -> String) -> Self {
        Self { edit_text: Some(edit), ..self }
    }

    fn accept_missing(self, accept_missing: &'static [&'static str]) -> Self {
        Self { accept_missing, ..self }
    }

    fn map(self, map: &'static [(&'static str, &'static str)]) -> Self {
        Self { map, ..self }
    }

    fn check(mut self, level: CheckLevel) -> Self {
        if let Expected::Accepted { check, .. } = &mut self.expected {
            *check = level;
        }
        self
    }

    fn messages(mut self, parts: &'static [&'static str]) -> Self {
        if let Expected::Accepted { messages, .. } = &mut self.expected {
            *messages = parts;
        }
        self
    }
}

fn case(name: &'static str, variants: &'static [Variant], expected: Expected) -> Case {
    Case { name, variants, format: Format::Json, edit_text: None, accept_missing: &[], map: &[], expected }
}

fn accepted(name: &'static str, variants: &'static [Variant]) -> Case {
    case(name, variants, Expected::Accepted { check: CheckLevel::Generate, messages: &[] })
}

fn refused(name: &'static str, variants: &'static [Variant], message: &'static [&'static str]) -> Case {
    case(name, variants, Expected::Refused(message))
}

/// Returns all cases.
pub fn cases() -> Vec<Case> {
    let mut all = accepted_with_notes();
    all.extend(typical_documents());
    all.extend(unusual_documents());
    all.extend(text_formats());
    all.extend(refused_by_contract());
    all.extend(refused_by_lint());
    all.extend(refused_texts());
    all
}

/// Accepted documents whose difference from the contract is reported, each by itself.
fn accepted_with_notes() -> Vec<Case> {
    vec![
        accepted("ours", variants![]).messages(&["up to date"]),
        accepted("known fields of other types", variants![known_field_of_another_type])
            .messages(&["fileSize", "follows the document"]),
        accepted("without optional fields", variants![without_optional_field])
            .messages(&["FileStatus.numberOfPages is not in the document"]),
        accepted("errors only", variants![errors_only]).messages(&["does not describe the success response"]),
        accepted("default for success", variants![default_for_success]),
        accepted("the package as an object", variants![package_as_object])
            .messages(&["downloadPackage: the document describes the package as JSON: assuming bytes"]),
        accepted("a flag in the form", variants![keep_in_the_form])
            .messages(&["uploadFile: the parameter `keepManualChanges` is the part `keepManualChanges` of the form"]),
        accepted("a flag in a header", variants![keep_in_a_header])
            .messages(&["uploadFile: the parameter `keepManualChanges` is the header `X-Keep-Manual-Changes`"]),
        accepted("no query parameters", variants![without_query_parameters])
            .messages(&["the query parameter `includeDetails` is not in the document"]),
        accepted("without guesses", variants![without_inferred_operations])
            .messages(&["getUsers: the document does not have GET /api/users (an inferred path)"]),
        accepted("without the licence", variants![without_license])
            .accept_missing(&["getLicense"])
            .messages(&["getLicense: missing in the document, as accepted"]),
        accepted("a download elsewhere", variants![another_download_path])
            .map(&[("getDownload", "GET /api/downloads/{downloadId}/status")]),
    ]
}

/// Documents as tools write them, and hostile ones. The compiler checks all of them; `--full` runs all tests with some.
fn typical_documents() -> Vec<Case> {
    vec![
        accepted(
            "typical springdoc",
            variants![
                all_operation_ids_renamed,
                schemas_renamed,
                any_media_type,
                pageable_object,
                tenant_header_declared,
                ids_as_uuid,
                envelope_with_more_keys,
                success_200_for_204,
                problem_json_errors,
                nothing_required,
                unknown_fields,
                further_optional_part,
                extra_operations,
                java_objects,
                multipart_file_class,
                keep_in_the_form,
                package_as_object,
            ],
        )
        .check(CheckLevel::Test),
        accepted(
            "renamed everything",
            variants![
                no_operation_ids,
                path_parameters_renamed,
                snake_case_fields,
                snake_case_query,
                schemas_renamed,
                another_part_name,
                envelope_with_more_keys,
                api_prefix_replaced,
            ],
        )
        .check(CheckLevel::Test),
        accepted("all inline and unnamed", variants![inlined, no_operation_ids, formats_removed, hal_media_type])
            .check(CheckLevel::Compile),
        accepted(
            "java class hierarchy",
            variants![
                everything_required,
                one_of_with_discriminator,
                split_into_all_of,
                wrapped_in_all_of,
                recursive_schemas,
                schemas_renamed
            ],
        )
        .check(CheckLevel::Compile),
        accepted(
            "hostile names",
            variants![
                keyword_names,
                case_only_names,
                contract_fields_in_other_case,
                odd_names,
                breakout_names,
                breakout_texts,
                enum_supersets,
                extensions_everywhere
            ],
        )
        .check(CheckLevel::Compile),
    ]
}

/// Unusual documents.
fn unusual_documents() -> Vec<Case> {
    vec![
        accepted(
            "odd but legal",
            variants![
                odd_operations,
                extra_operations,
                callbacks_and_links,
                schema_in_odd_place,
                any_of_with_null,
                constraints_added,
                shared_by_reference,
                optional_header,
                deprecated_everywhere,
            ],
        )
        .check(CheckLevel::Compile),
        accepted(
            "minimal",
            variants![
                without_inferred_operations,
                without_license,
                without_xml,
                without_query_parameters,
                without_optional_field,
                formats_removed,
                enums_without_values,
                nothing_required,
                errors_only,
            ],
        )
        .accept_missing(&["getLicense"])
        .check(CheckLevel::Test),
        accepted(
            "behind a gateway",
            variants![
                server_path,
                keep_in_a_header,
                tenant_header_declared,
                optional_header,
                openapi_3_1,
                vendor_request_type,
                hal_media_type,
                success_2xx,
                file_id_for_id,
                patterns_in_paths
            ],
        )
        .check(CheckLevel::Compile),
        accepted(
            "other conventions",
            variants![
                envelope_key_renamed,
                paging_parameters,
                known_field_of_another_type,
                several_media_types,
                list_of_files_in_the_form,
                operation_ids_swapped,
                closed_objects,
                another_download_path,
            ],
        )
        .map(&[("getDownload", "GET /api/downloads/{downloadId}/status")])
        .check(CheckLevel::Compile),
        accepted("very large", variants![many_schemas, long_texts, recursive_schemas, unknown_fields])
            .check(CheckLevel::Compile),
    ]
}

/// Documents in other text formats.
fn text_formats() -> Vec<Case> {
    vec![
        accepted("json of windows", variants![unknown_fields]).format(Format::JsonWithByteOrderMark),
        accepted("yaml", variants![yaml_words, schemas_renamed, all_operation_ids_renamed])
            .format(Format::Yaml)
            // YAML 1.1 reads these words as booleans, YAML 1.2 as texts.
            .edit_text(|text| {
                text.replace("\"no\"", "no").replace("\"on\"", "on").replace("'no'", "no").replace("'on'", "on")
            })
            .check(CheckLevel::Compile),
        accepted("yaml with anchors and comments", variants![inlined, breakout_texts]).format(Format::Yaml).edit_text(
            |text| format!("# comment\n---\n{text}x-anchor: &anchor {{a: b}} # comment\nx-alias: *anchor\n"),
        ),
        accepted("yaml of windows", variants![odd_names, extra_operations]).format(Format::YamlWithByteOrderMark),
        accepted("yaml, version without quotes", variants![no_operation_ids])
            .format(Format::Yaml)
            .edit_text(|text| text.replace("version: \"1.0.0\"", "version: 1.0.0")),
    ]
}

/// Documents without something that the facade needs, and decisions that do not fit.
fn refused_by_contract() -> Vec<Case> {
    vec![
        refused(
            "no getFile",
            variants![without_get_file],
            &["getFile: no operation matches GET /api/", "--accept-missing getFile"],
        ),
        refused(
            "no licence, not accepted",
            variants![without_license],
            &["getLicense: ", "--accept-missing getLicense"],
        ),
        refused(
            "a download elsewhere, not said",
            variants![another_download_path],
            &[
                "getDownload: no operation matches GET /api/downloads/{downloadId}",
                "--map getDownload='GET /api/downloads/{downloadId}/status'",
            ],
        ),
        refused(
            "a decision that leads nowhere",
            variants![another_download_path],
            &["getDownload: the document has no GET /api/packages/{id}, the target of --map"],
        )
        .map(&[("getDownload", "GET /api/packages/{id}")]),
        refused(
            "a decision about nothing",
            variants![without_license],
            &["getLicence: unknown operation of the contract"],
        )
        .accept_missing(&["getLicence"]),
        refused(
            "a required query parameter",
            variants![required_query_parameter],
            &["getFiles: requires the query parameter `view`", "/parameters/"],
        ),
        refused(
            "a required header",
            variants![required_header_parameter],
            &["downloadPackage: requires the header parameter `X-Audit-Reason`"],
        ),
        refused("a required object in the query", variants![required_deep_object], &["getDossierTemplates: ", "span"]),
        refused(
            "a required field",
            variants![required_body_field],
            &[
                "requires the field `costCentre` in DossierRequest",
                "/components/schemas/DossierRequest/properties/costCentre",
            ],
        ),
        refused(
            "a required part",
            variants![required_second_part],
            &["uploadFile: the form requires the part `language`"],
        ),
        refused(
            "two file parts",
            variants![two_files_in_the_form],
            &["uploadFile: the form has several parts that hold files"],
        ),
        refused("upload without a form", variants![upload_takes_json], &["uploadFile: "]),
        refused(
            "no READY",
            variants![download_state_without_ready],
            &["getDownload: DownloadStatus.status does not list READY", "QUEUED, GENERATING, FAILED"],
        ),
        refused("no PROCESSED", variants![processed_missing], &["does not list PROCESSED"]),
        refused(
            "ids are numbers",
            variants![id_as_integer],
            &["FileStatus.id is an integer instead of a string", "/components/schemas/FileStatus/properties/id"],
        ),
        refused(
            "no id",
            variants![id_missing],
            &["Dossier has no field `id` (nor dossierId), but the facade depends on it", "/components/schemas/Dossier"],
        ),
        refused("a bare list", variants![list_is_bare_array], &["getFiles: holds a bare array", "FileList"]),
        refused(
            "a state that is an object",
            variants![status_as_object],
            &["FileStatus.processingStatus is an object instead of a string"],
        ),
        refused(
            "components of fixed fields",
            variants![components_of_fixed_fields],
            &["FileComponents.components is an object with fixed fields instead of a map"],
        ),
    ]
}

/// Documents that are inconsistent in themselves, and documents with several reasons for a refusal.
fn refused_by_lint() -> Vec<Case> {
    const GET_FILE: &str =
        "/paths/~1api~1dossier-templates~1{dossierTemplateId}~1dossiers~1{dossierId}~1files~1{fileId}/get";
    vec![
        refused("two versions", variants![two_api_versions], &["ambiguous", "/api/v2"]),
        refused(
            "another paging",
            variants![another_paging],
            &["getFiles: the list comes in a way that the facade does not follow: cursor"],
        ),
        refused("reference to a file", variants![file_reference], &["etc/passwd", "which is never followed"]),
        refused(
            "reference to a url",
            variants![url_reference],
            &["http://127.0.0.1:9/models.json", "which is never followed"],
        ),
        refused("a reference to nothing", variants![dangling_reference], &["NoSuchModel", "dangling reference"]),
        refused("references in a circle", variants![reference_circle], &["Ping", "cyclic|contains itself"]),
        refused("allOf in a circle", variants![all_of_circle], &["Egg", "contains itself", "/components/schemas/"]),
        refused(
            "models in models",
            variants![models_in_models],
            &["models are nested in each other", "(/components/schemas/FileList)"],
        ),
        refused("openapi 3.2", variants![openapi_3_2], &["OpenAPI 3.2.0", "3.0", "convert"]),
        refused("no paths", variants![no_paths], &["/paths", "no paths|is missing"]),
        refused("no title", variants![no_title], &["/info/title", "/info/version"]),
        refused("too deep", variants![too_deep], &["recursion|deep|nest"]),
        refused(
            "several reasons at once",
            variants![
                file_reference,
                download_state_without_ready,
                required_body_field,
                without_get_file,
                another_paging
            ],
            &["getFile: ", "READY", "costCentre", "cursor"],
        ),
        refused(
            "renamed, and still refused",
            variants![schemas_renamed, all_operation_ids_renamed, any_media_type, status_as_object],
            &["FileStatus.processingStatus is an object"],
        ),
        refused(
            "pointers are the document's",
            variants![id_as_integer, without_get_file, upload_takes_json],
            &["uploadFile: ", "getFile: "],
        ),
        refused("at its place", variants![inlined, id_as_integer], &["FileStatus.id is an integer", GET_FILE]),
    ]
}

/// Texts that are not a document.
fn refused_texts() -> Vec<Case> {
    vec![
        refused("a key twice in yaml", variants![], &["uplicate"])
            .format(Format::Yaml)
            .edit_text(|text| format!("{text}paths: {{}}\n")),
        refused("very deep json", variants![], &["recursion|deep|nest"]).edit_text(|text| {
            let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
            text.replacen('{', &format!("{{\n  \"x-deep\": {deep},"), 1)
        }),
        refused("too deep in yaml", variants![too_deep], &["depth|deep|nest"]).format(Format::Yaml),
        refused("an alias bomb", variants![], &["limit|budget|more than|exceed"])
            .format(Format::Yaml)
            .edit_text(alias_bomb),
        refused("an anchor that is not there", variants![], &["alias|anchor"])
            .format(Format::Yaml)
            .edit_text(|text| format!("{text}x-alias: *nowhere\n")),
        refused("an anchor in itself", variants![], &["alias|anchor|recurs|circ"])
            .format(Format::Yaml)
            .edit_text(|text| format!("{text}x-self: &self [*self]\n")),
        refused("two documents", variants![], &["document"])
            .format(Format::Yaml)
            .edit_text(|text| format!("{text}---\n{text}")),
        refused("half of it", variants![], &["EOF|end of"]).edit_text(|text| text[..text.len() / 2].to_owned()),
        refused("nothing", variants![], &["mapping|object|nothing|empty|end of"]).edit_text(|_| String::new()),
        refused("33 MB", variants![], &["bytes"]).edit_text(|text| text + &" ".repeat(33 << 20)),
        refused("three million values", variants![], &["more than", "values"]).edit_text(|text| {
            let many = "0,".repeat(3_000_000);
            text.replacen('{', &format!("{{\n  \"x-many\": [{many}0],"), 1)
        }),
    ]
}

/// Appends aliases of aliases: 10^9 nodes in a few lines.
fn alias_bomb(text: String) -> String {
    let mut bomb = text + "x-bomb0: &bomb0 [x, x, x, x, x, x, x, x, x, x]\n";
    for level in 1..9 {
        let inner = vec![format!("*bomb{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "x-bomb{level}: &bomb{level} [{inner}]");
    }
    bomb
}
