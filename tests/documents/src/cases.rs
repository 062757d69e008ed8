//! The table: which twists make which document, and how it ends.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::form::Form;
use crate::twists::{Twist, twists};

/// A document and the end that it shall have.
#[derive(Clone, Debug)]
pub struct Case {
    /// Names it on the command line and in its file.
    pub name: &'static str,
    /// What is done to our document, in this order.
    pub twists: &'static [Twist],
    /// How it is written.
    pub form: Form,
    /// What is done to its text afterwards.
    pub text: Option<fn(String) -> String>,
    /// Operations that the user does without.
    pub accept_missing: &'static [&'static str],
    /// Where the user says that operations are.
    pub map: &'static [(&'static str, &'static str)],
    /// Whether it is really written, in a copy of the workspace.
    pub written: bool,
    /// How it ends.
    pub end: End,
}

/// How a document ends.
#[derive(Clone, Debug)]
pub enum End {
    /// The client can be built from it.
    Accepted {
        /// How much of that is tried.
        effort: Effort,
        /// What the report must say. `one|other`: either.
        says: &'static [&'static str],
    },
    /// It can't be used, and the message holds all of these. `one|other`: either.
    Refused(&'static [&'static str]),
}

/// How much is tried with an accepted document. Each holds the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// `regen --from FILE --dry-run`: the passes, the generator, the syntax of the generated source.
    Generated,
    /// `cargo check` of the client, the facade and the examples, without a warning.
    Checked,
    /// All tests of the workspace, and the example.
    Tested,
}

impl Case {
    /// The document as a value.
    pub fn document(&self, ours: &Value) -> Value {
        let mut document = ours.clone();
        for twist in self.twists {
            (twist.apply)(&mut document);
        }
        document
    }

    /// The document as a file.
    pub fn bytes(&self, ours: &Value) -> Vec<u8> {
        let bytes = self.form.write(&self.document(ours));
        match self.text {
            Some(change) => change(String::from_utf8_lossy(&bytes).into_owned()).into_bytes(),
            None => bytes,
        }
    }

    /// The name of its file.
    pub fn file(&self) -> String {
        format!("{}.{}", self.name, self.form.extension())
    }

    /// The user's decisions as options of `regen`.
    fn arguments(&self) -> Vec<String> {
        let missing = self.accept_missing.iter().flat_map(|id| [String::from("--accept-missing"), (*id).to_owned()]);
        let map = self.map.iter().flat_map(|(id, place)| [String::from("--map"), format!("{id}={place}")]);
        missing.chain(map).collect()
    }

    /// The user's decisions as the file that the build reads; nothing when there are none.
    fn decisions(&self) -> Option<String> {
        if self.accept_missing.is_empty() && self.map.is_empty() {
            return None;
        }
        let mut text = format!("accept_missing = {:?}\n\n[map]\n", self.accept_missing);
        for (id, place) in self.map {
            let _ = writeln!(text, "{id} = {place:?}");
        }
        Some(text)
    }

    /// The files that belong to it: names and what they hold.
    pub fn files(&self, ours: &Value) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![(self.file(), self.bytes(ours))];
        files.extend(self.decisions().map(|text| (format!("{}.mapping.toml", self.name), text.into_bytes())));
        if self.written {
            files.push((format!("{}.by-hand.yaml", self.name), Form::YamlByHand.write(&self.document(ours))));
        }
        files
    }

    /// Its row for who tries it: the names of its files, and the end.
    pub fn row(&self) -> Value {
        let (effort, says) = match &self.end {
            End::Accepted { effort, says } => (Some(format!("{effort:?}")), says),
            End::Refused(says) => (None, says),
        };
        json!({
            "name": self.name,
            "file": self.file(),
            "twists": self.twists.iter().map(|twist| twist.name).collect::<Vec<&str>>(),
            "form": format!("{:?}", self.form),
            "by_hand": self.written.then(|| format!("{}.by-hand.yaml", self.name)),
            "decisions": self.decisions().map(|_| format!("{}.mapping.toml", self.name)),
            "arguments": self.arguments(),
            "is_text": self.text.is_some(),
            "effort": effort,
            "says": says,
        })
    }

    fn written_too(self) -> Self {
        Self { written: true, ..self }
    }

    fn in_form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    fn with_text(self, change: fn(String) -> String) -> Self {
        Self { text: Some(change), ..self }
    }

    fn without(self, accept_missing: &'static [&'static str]) -> Self {
        Self { accept_missing, ..self }
    }

    fn mapped(self, map: &'static [(&'static str, &'static str)]) -> Self {
        Self { map, ..self }
    }

    fn tried(mut self, wanted: Effort) -> Self {
        if let End::Accepted { effort, .. } = &mut self.end {
            *effort = wanted;
        }
        self
    }

    fn saying(mut self, wanted: &'static [&'static str]) -> Self {
        if let End::Accepted { says, .. } = &mut self.end {
            *says = wanted;
        }
        self
    }
}

fn case(name: &'static str, twists: &'static [Twist], end: End) -> Case {
    Case { name, twists, form: Form::Json, text: None, accept_missing: &[], map: &[], written: false, end }
}

fn accepted(name: &'static str, twists: &'static [Twist]) -> Case {
    case(name, twists, End::Accepted { effort: Effort::Generated, says: &[] })
}

fn refused(name: &'static str, twists: &'static [Twist], message: &'static [&'static str]) -> Case {
    case(name, twists, End::Refused(message))
}

/// All cases.
pub fn cases() -> Vec<Case> {
    let mut all = one_by_one();
    all.extend(several_at_once());
    all.extend(rarely_at_once());
    all.extend(forms());
    all.extend(refusals());
    all.extend(in_themselves());
    all.extend(refused_texts());
    all
}

/// One kind of difference each: what fails tells by its name what is wrong. The larger documents below are compiled, these are not,
/// unless what they are about shows to the compiler only.
fn one_by_one() -> Vec<Case> {
    vec![
        accepted("ours", twists![]).saying(&["up to date"]),
        accepted("other operation ids", twists![all_operation_ids_renamed]),
        accepted("no operation ids", twists![no_operation_ids]),
        accepted("swapped operation ids", twists![operation_ids_swapped]),
        accepted("other schema names", twists![schemas_renamed]),
        accepted("other path parameters", twists![path_parameters_renamed]),
        accepted("another prefix", twists![api_prefix_replaced]),
        accepted("a server with a path", twists![server_path]),
        accepted("snake case", twists![snake_case_fields, snake_case_query]),
        accepted("fileId for id", twists![file_id_for_id]),
        accepted("envelopes called content", twists![envelope_key_renamed]),
        accepted("inline schemas", twists![inlined]),
        accepted("allOf around references", twists![wrapped_in_all_of]),
        accepted("allOf of parts", twists![split_into_all_of]),
        accepted("oneOf with discriminator", twists![one_of_with_discriminator]),
        accepted("anyOf with null", twists![any_of_with_null]),
        accepted("any media type", twists![any_media_type]),
        accepted("hal", twists![hal_media_type, vendor_request_type]),
        accepted("several media types", twists![several_media_types]),
        accepted("no formats", twists![formats_removed]),
        accepted("nothing required", twists![nothing_required]),
        accepted("everything required", twists![everything_required]),
        accepted("fuller envelopes", twists![envelope_with_more_keys]),
        accepted("uuids", twists![ids_as_uuid]),
        accepted("more enum values", twists![enum_supersets]),
        accepted("enums without values", twists![enums_without_values]),
        accepted("unknown fields", twists![unknown_fields]),
        accepted("closed objects", twists![closed_objects]),
        accepted("constraints", twists![constraints_added]),
        accepted("known fields of other types", twists![known_field_of_another_type])
            .saying(&["fileSize", "follows the document"]),
        accepted("without optional fields", twists![without_optional_field])
            .saying(&["FileStatus.numberOfPages is not in the document"]),
        accepted("tenant header", twists![tenant_header_declared]),
        accepted("optional header and cookie", twists![optional_header]),
        accepted("paging parameters", twists![paging_parameters]),
        accepted("pageable", twists![pageable_object]),
        accepted("errors of any kind", twists![problem_json_errors]),
        accepted("errors only", twists![errors_only]).saying(&["does not describe the success response"]),
        accepted("default for success", twists![default_for_success]),
        accepted("another part", twists![another_part_name]),
        accepted("an optional part", twists![further_optional_part]),
        accepted("a list of files", twists![list_of_files_in_the_form]),
        accepted("200 for 204", twists![success_200_for_204]),
        accepted("2XX", twists![success_2xx]),
        accepted("no xml", twists![without_xml]),
        accepted("the package as an object", twists![package_as_object])
            .saying(&["downloadPackage: the document describes the package as JSON: assuming bytes"]),
        accepted("a file as its class", twists![multipart_file_class]),
        accepted("a flag in the form", twists![keep_in_the_form])
            .saying(&["uploadFile: the parameter `keepManualChanges` is the part `keepManualChanges` of the form"]),
        accepted("a flag in a header", twists![keep_in_a_header])
            .saying(&["uploadFile: the parameter `keepManualChanges` is the header `X-Keep-Manual-Changes`"]),
        accepted("patterns in paths", twists![patterns_in_paths]),
        accepted("java objects", twists![java_objects]),
        accepted("openapi 3.1", twists![openapi_3_1]),
        accepted("the contract's fields in another case", twists![contract_fields_in_other_case]),
        accepted("no query parameters", twists![without_query_parameters])
            .saying(&["the query parameter `includeDetails` is not in the document"]),
        accepted("shared by reference", twists![shared_by_reference]),
        accepted("extra operations", twists![extra_operations]),
        accepted("odd operations", twists![odd_operations]),
        accepted("callbacks and links", twists![callbacks_and_links]),
        accepted("circles that are legal", twists![recursive_schemas]),
        accepted("schemas in odd places", twists![schema_in_odd_place]),
        accepted("extensions of others", twists![extensions_everywhere]),
        accepted("everything deprecated", twists![deprecated_everywhere]),
        accepted("keywords", twists![keyword_names]),
        accepted("names that differ by case", twists![case_only_names]),
        accepted("odd names", twists![odd_names]),
        accepted("names that break out", twists![breakout_names]),
        accepted("texts that break out", twists![breakout_texts]),
        accepted("a large document", twists![many_schemas, long_texts]),
        accepted("without guesses", twists![without_inferred_operations])
            .saying(&["getUsers: the document does not have GET /api/users (an inferred path)"]),
        accepted("without the licence", twists![without_license])
            .without(&["getLicense"])
            .saying(&["getLicense: missing in the document, as accepted"])
            .written_too(),
        accepted("a download elsewhere", twists![another_download_path])
            .mapped(&[("getDownload", "GET /api/downloads/{downloadId}/status")]),
    ]
}

/// Whole documents as tools write them, and the worst that can be thought of. These go to the compiler; three go through all tests.
fn several_at_once() -> Vec<Case> {
    vec![
        accepted(
            "typical springdoc",
            twists![
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
        .tried(Effort::Tested),
        accepted(
            "renamed everything",
            twists![
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
        .tried(Effort::Tested)
        .written_too(),
        accepted("all inline and unnamed", twists![inlined, no_operation_ids, formats_removed, hal_media_type])
            .tried(Effort::Checked),
        accepted(
            "java class hierarchy",
            twists![
                everything_required,
                one_of_with_discriminator,
                split_into_all_of,
                wrapped_in_all_of,
                recursive_schemas,
                schemas_renamed
            ],
        )
        .tried(Effort::Checked),
        accepted(
            "hostile names",
            twists![
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
        .tried(Effort::Checked),
    ]
}

/// The same of what is rare.
fn rarely_at_once() -> Vec<Case> {
    vec![
        accepted(
            "odd but legal",
            twists![
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
        .tried(Effort::Checked),
        accepted(
            "as little as possible",
            twists![
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
        .without(&["getLicense"])
        .tried(Effort::Tested),
        accepted(
            "behind a gateway",
            twists![
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
        .tried(Effort::Checked),
        accepted(
            "another team's taste",
            twists![
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
        .mapped(&[("getDownload", "GET /api/downloads/{downloadId}/status")])
        .tried(Effort::Checked),
        accepted("very large", twists![many_schemas, long_texts, recursive_schemas, unknown_fields])
            .tried(Effort::Checked),
    ]
}

/// The same in other forms of text.
fn forms() -> Vec<Case> {
    vec![
        accepted("json of windows", twists![unknown_fields]).in_form(Form::JsonOfWindows),
        accepted("yaml", twists![yaml_words, schemas_renamed, all_operation_ids_renamed])
            .in_form(Form::Yaml)
            .tried(Effort::Checked),
        accepted("yaml with anchors and comments", twists![yaml_words, inlined, breakout_texts])
            .in_form(Form::YamlByHand),
        accepted("yaml of windows", twists![odd_names, extra_operations]).in_form(Form::YamlOfWindows),
        accepted("yaml, version without quotes", twists![no_operation_ids])
            .in_form(Form::Yaml)
            .with_text(|text| text.replace("version: \"1.0.0\"", "version: 1.0.0")),
    ]
}

/// Documents that mean something else than the facade.
fn refusals() -> Vec<Case> {
    vec![
        refused(
            "no getFile",
            twists![without_get_file],
            &["getFile: no operation matches GET /api/", "--accept-missing getFile"],
        ),
        refused("no licence, not accepted", twists![without_license], &["getLicense: ", "--accept-missing getLicense"]),
        refused(
            "a download elsewhere, not said",
            twists![another_download_path],
            &[
                "getDownload: no operation matches GET /api/downloads/{downloadId}",
                "--map getDownload='GET /api/downloads/{downloadId}/status'",
            ],
        ),
        refused(
            "a decision that leads nowhere",
            twists![another_download_path],
            &["getDownload: the document has no GET /api/packages/{id}, the target of --map"],
        )
        .mapped(&[("getDownload", "GET /api/packages/{id}")]),
        refused(
            "a decision about nothing",
            twists![without_license],
            &["getLicence: unknown operation of the contract"],
        )
        .without(&["getLicence"]),
        refused(
            "a required query parameter",
            twists![required_query_parameter],
            &["getFiles: requires the query parameter `view`", "/parameters/"],
        ),
        refused(
            "a required header",
            twists![required_header_parameter],
            &["downloadPackage: requires the header parameter `X-Audit-Reason`"],
        ),
        refused("a required object in the query", twists![required_deep_object], &["getDossierTemplates: ", "span"]),
        refused(
            "a required field",
            twists![required_body_field],
            &[
                "requires the field `costCentre` in DossierRequest",
                "/components/schemas/DossierRequest/properties/costCentre",
            ],
        ),
        refused(
            "a required part",
            twists![required_second_part],
            &["uploadFile: the form requires the part `language`"],
        ),
        refused(
            "two files",
            twists![two_files_in_the_form],
            &["uploadFile: the form has several parts that hold files"],
        ),
        refused("no form", twists![upload_takes_json], &["uploadFile: "]),
        refused(
            "no READY",
            twists![download_state_without_ready],
            &["getDownload: DownloadStatus.status does not list READY", "QUEUED, GENERATING, FAILED"],
        ),
        refused("no PROCESSED", twists![processed_missing], &["does not list PROCESSED"]),
        refused(
            "ids are numbers",
            twists![id_as_integer],
            &["FileStatus.id is an integer instead of a string", "/components/schemas/FileStatus/properties/id"],
        ),
        refused(
            "no id",
            twists![id_missing],
            &["Dossier has no field `id` (nor dossierId), but the facade depends on it", "/components/schemas/Dossier"],
        ),
        refused("a bare list", twists![list_is_bare_array], &["getFiles: holds a bare array", "FileList"]),
        refused(
            "a state that is an object",
            twists![status_as_object],
            &["FileStatus.processingStatus is an object instead of a string"],
        ),
        refused(
            "components of fixed fields",
            twists![components_of_fixed_fields],
            &["FileComponents.components is an object with fixed fields instead of a map"],
        ),
    ]
}

/// Documents that can't be read, or whose parts do not fit together; and several reasons at once.
fn in_themselves() -> Vec<Case> {
    const GET_FILE: &str =
        "/paths/~1api~1dossier-templates~1{dossierTemplateId}~1dossiers~1{dossierId}~1files~1{fileId}/get";
    vec![
        refused("two versions", twists![two_api_versions], &["ambiguous", "/api/v2"]),
        refused(
            "another paging",
            twists![another_paging],
            &["getFiles: the list comes in a way that the facade does not follow: cursor"],
        ),
        refused("a file", twists![file_reference], &["etc/passwd", "which is never followed"]),
        refused("a url", twists![url_reference], &["http://127.0.0.1:9/models.json", "which is never followed"]),
        refused("a reference to nothing", twists![dangling_reference], &["NoSuchModel", "dangling reference"]),
        refused("references in a circle", twists![reference_circle], &["Ping", "cyclic|contains itself"]),
        refused("allOf in a circle", twists![all_of_circle], &["Egg", "contains itself", "/components/schemas/"]),
        refused(
            "models in models",
            twists![models_in_models],
            &["models are nested in each other", "(/components/schemas/FileList)"],
        ),
        refused("openapi 3.2", twists![openapi_3_2], &["OpenAPI 3.2.0", "3.0", "convert"]),
        refused("swagger 2.0", twists![swagger_2_0], &["Swagger 2.0", "3.0", "convert"]),
        refused("no paths", twists![no_paths], &["/paths", "no paths|is missing"]),
        refused("no title", twists![no_title], &["/info/title", "/info/version"]),
        refused("too deep", twists![too_deep], &["recursion|deep|nest"]),
        refused(
            "several reasons at once",
            twists![
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
            twists![schemas_renamed, all_operation_ids_renamed, any_media_type, status_as_object],
            &["FileStatus.processingStatus is an object"],
        ),
        refused(
            "pointers are the document's",
            twists![id_as_integer, without_get_file, upload_takes_json],
            &["uploadFile: ", "getFile: "],
        ),
        refused("at its place", twists![inlined, id_as_integer], &["FileStatus.id is an integer", GET_FILE]),
    ]
}

/// Texts that are no document.
fn refused_texts() -> Vec<Case> {
    vec![
        refused("a key twice in json", twists![], &["paths", "uplicate"])
            .with_text(|text| text.replacen('{', "{\n  \"paths\": {},", 1)),
        refused("a key twice in yaml", twists![], &["uplicate"])
            .in_form(Form::Yaml)
            .with_text(|text| format!("{text}paths: {{}}\n")),
        refused("very deep json", twists![], &["recursion|deep|nest"]).with_text(|text| {
            let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
            text.replacen('{', &format!("{{\n  \"x-deep\": {deep},"), 1)
        }),
        refused("too deep in yaml", twists![too_deep], &["depth|deep|nest"]).in_form(Form::Yaml),
        refused("an alias bomb", twists![], &["limit|budget|more than|exceed"]).in_form(Form::Yaml).with_text(bomb),
        refused("an anchor that is not there", twists![], &["alias|anchor"])
            .in_form(Form::Yaml)
            .with_text(|text| format!("{text}x-alias: *nowhere\n")),
        refused("an anchor in itself", twists![], &["alias|anchor|recurs|circ"])
            .in_form(Form::Yaml)
            .with_text(|text| format!("{text}x-self: &self [*self]\n")),
        refused("two documents", twists![], &["document"])
            .in_form(Form::Yaml)
            .with_text(|text| format!("{text}---\n{text}")),
        refused("half of it", twists![], &["EOF|end of"]).with_text(|text| text[..text.len() / 2].to_owned()),
        refused("a web page", twists![], &["web page"]).with_text(|_| String::from("<!DOCTYPE html>\n<html></html>\n")),
        refused("nothing", twists![], &["mapping|object|nothing|empty|end of"]).with_text(|_| String::new()),
        refused("a list", twists![], &["mapping|object"]).with_text(|text| format!("[{text}]")),
        refused("utf-16", twists![], &["UTF-16|UTF-8"]).in_form(Form::JsonUtf16),
        refused("33 MB", twists![], &["bytes"]).with_text(|text| text + &" ".repeat(33 << 20)),
        refused("three million values", twists![], &["more than", "values"]).with_text(|text| {
            let many = "0,".repeat(3_000_000);
            text.replacen('{', &format!("{{\n  \"x-many\": [{many}0],"), 1)
        }),
    ]
}

/// Aliases of aliases: ten to the power of nine nodes in a few lines.
fn bomb(text: String) -> String {
    let mut bomb = text + "x-bomb0: &bomb0 [x, x, x, x, x, x, x, x, x, x]\n";
    for level in 1..9 {
        let inner = vec![format!("*bomb{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "x-bomb{level}: &bomb{level} [{inner}]");
    }
    bomb
}
