//! The table: which variants make which document, and how it ends.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::form::Form;
use crate::variants::{Variant, variants};

/// A document and the end that it shall have.
#[derive(Clone, Debug)]
pub struct Case {
    /// Names it on the command line and in its file.
    pub name: &'static str,
    /// What is done to our document, in this order.
    pub variants: &'static [Variant],
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
        for variant in self.variants {
            (variant.apply)(&mut document);
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
            "variants": self.variants.iter().map(|variant| variant.name).collect::<Vec<&str>>(),
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

fn case(name: &'static str, variants: &'static [Variant], end: End) -> Case {
    Case { name, variants, form: Form::Json, text: None, accept_missing: &[], map: &[], written: false, end }
}

fn accepted(name: &'static str, variants: &'static [Variant]) -> Case {
    case(name, variants, End::Accepted { effort: Effort::Generated, says: &[] })
}

fn refused(name: &'static str, variants: &'static [Variant], message: &'static [&'static str]) -> Case {
    case(name, variants, End::Refused(message))
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
        accepted("ours", variants![]).saying(&["up to date"]),
        accepted("other operation ids", variants![all_operation_ids_renamed]),
        accepted("no operation ids", variants![no_operation_ids]),
        accepted("swapped operation ids", variants![operation_ids_swapped]),
        accepted("other schema names", variants![schemas_renamed]),
        accepted("other path parameters", variants![path_parameters_renamed]),
        accepted("another prefix", variants![api_prefix_replaced]),
        accepted("a server with a path", variants![server_path]),
        accepted("snake case", variants![snake_case_fields, snake_case_query]),
        accepted("fileId for id", variants![file_id_for_id]),
        accepted("envelopes called content", variants![envelope_key_renamed]),
        accepted("inline schemas", variants![inlined]),
        accepted("allOf around references", variants![wrapped_in_all_of]),
        accepted("allOf of parts", variants![split_into_all_of]),
        accepted("oneOf with discriminator", variants![one_of_with_discriminator]),
        accepted("anyOf with null", variants![any_of_with_null]),
        accepted("any media type", variants![any_media_type]),
        accepted("hal", variants![hal_media_type, vendor_request_type]),
        accepted("several media types", variants![several_media_types]),
        accepted("no formats", variants![formats_removed]),
        accepted("nothing required", variants![nothing_required]),
        accepted("everything required", variants![everything_required]),
        accepted("fuller envelopes", variants![envelope_with_more_keys]),
        accepted("uuids", variants![ids_as_uuid]),
        accepted("more enum values", variants![enum_supersets]),
        accepted("enums without values", variants![enums_without_values]),
        accepted("unknown fields", variants![unknown_fields]),
        accepted("closed objects", variants![closed_objects]),
        accepted("constraints", variants![constraints_added]),
        accepted("known fields of other types", variants![known_field_of_another_type])
            .saying(&["fileSize", "follows the document"]),
        accepted("without optional fields", variants![without_optional_field])
            .saying(&["FileStatus.numberOfPages is not in the document"]),
        accepted("tenant header", variants![tenant_header_declared]),
        accepted("optional header and cookie", variants![optional_header]),
        accepted("paging parameters", variants![paging_parameters]),
        accepted("pageable", variants![pageable_object]),
        accepted("errors of any kind", variants![problem_json_errors]),
        accepted("errors only", variants![errors_only]).saying(&["does not say what a success holds"]),
        accepted("default for success", variants![default_for_success]),
        accepted("another part", variants![another_part_name]),
        accepted("an optional part", variants![further_optional_part]),
        accepted("a list of files", variants![list_of_files_in_the_form]),
        accepted("200 for 204", variants![success_200_for_204]),
        accepted("2XX", variants![success_2xx]),
        accepted("no xml", variants![without_xml]),
        accepted("the package as an object", variants![package_as_object])
            .saying(&["downloadPackage: the document describes the package as JSON: taken for bytes"]),
        accepted("a file as its class", variants![multipart_file_class]),
        accepted("a flag in the form", variants![keep_in_the_form])
            .saying(&["uploadFile: the parameter `keepManualChanges` is the part `keepManualChanges` of the form"]),
        accepted("a flag in a header", variants![keep_in_a_header])
            .saying(&["uploadFile: the parameter `keepManualChanges` is the header `X-Keep-Manual-Changes`"]),
        accepted("patterns in paths", variants![patterns_in_paths]),
        accepted("java objects", variants![java_objects]),
        accepted("openapi 3.1", variants![openapi_3_1]),
        accepted("the contract's fields in another case", variants![contract_fields_in_other_case]),
        accepted("no query parameters", variants![without_query_parameters])
            .saying(&["the query parameter `includeDetails` is not in the document"]),
        accepted("shared by reference", variants![shared_by_reference]),
        accepted("extra operations", variants![extra_operations]),
        accepted("odd operations", variants![odd_operations]),
        accepted("callbacks and links", variants![callbacks_and_links]),
        accepted("circles that are legal", variants![recursive_schemas]),
        accepted("schemas in odd places", variants![schema_in_odd_place]),
        accepted("extensions of others", variants![extensions_everywhere]),
        accepted("everything deprecated", variants![deprecated_everywhere]),
        accepted("keywords", variants![keyword_names]),
        accepted("names that differ by case", variants![case_only_names]),
        accepted("odd names", variants![odd_names]),
        accepted("names that break out", variants![breakout_names]),
        accepted("texts that break out", variants![breakout_texts]),
        accepted("a large document", variants![many_schemas, long_texts]),
        accepted("without guesses", variants![without_inferred_operations])
            .saying(&["getUsers: the document does not have GET /api/users (a path that we guessed)"]),
        accepted("without the licence", variants![without_license])
            .without(&["getLicense"])
            .saying(&["getLicense: the document does not have it; accepted"])
            .written_too(),
        accepted("a download elsewhere", variants![another_download_path])
            .mapped(&[("getDownload", "GET /api/downloads/{downloadId}/status")]),
    ]
}

/// Whole documents as tools write them, and the worst that can be thought of. These go to the compiler; three go through all tests.
fn several_at_once() -> Vec<Case> {
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
        .tried(Effort::Tested),
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
        .tried(Effort::Tested)
        .written_too(),
        accepted("all inline and unnamed", variants![inlined, no_operation_ids, formats_removed, hal_media_type])
            .tried(Effort::Checked),
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
        .tried(Effort::Checked),
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
        .tried(Effort::Checked),
    ]
}

/// The same of what is rare.
fn rarely_at_once() -> Vec<Case> {
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
        .tried(Effort::Checked),
        accepted(
            "as little as possible",
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
        .without(&["getLicense"])
        .tried(Effort::Tested),
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
        .tried(Effort::Checked),
        accepted(
            "another team's taste",
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
        .mapped(&[("getDownload", "GET /api/downloads/{downloadId}/status")])
        .tried(Effort::Checked),
        accepted("very large", variants![many_schemas, long_texts, recursive_schemas, unknown_fields])
            .tried(Effort::Checked),
    ]
}

/// The same in other forms of text.
fn forms() -> Vec<Case> {
    vec![
        accepted("json of windows", variants![unknown_fields]).in_form(Form::JsonOfWindows),
        accepted("yaml", variants![yaml_words, schemas_renamed, all_operation_ids_renamed])
            .in_form(Form::Yaml)
            .tried(Effort::Checked),
        accepted("yaml with anchors and comments", variants![yaml_words, inlined, breakout_texts])
            .in_form(Form::YamlByHand),
        accepted("yaml of windows", variants![odd_names, extra_operations]).in_form(Form::YamlOfWindows),
        accepted("yaml, version without quotes", variants![no_operation_ids])
            .in_form(Form::Yaml)
            .with_text(|text| text.replace("version: \"1.0.0\"", "version: 1.0.0")),
    ]
}

/// Documents that mean something else than the facade.
fn refusals() -> Vec<Case> {
    vec![
        refused(
            "no getFile",
            variants![without_get_file],
            &["getFile: no operation has the form GET /api/", "--accept-missing getFile"],
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
                "getDownload: no operation has the form GET /api/downloads/{downloadId}",
                "--map getDownload='GET /api/downloads/{downloadId}/status'",
            ],
        ),
        refused(
            "a decision that leads nowhere",
            variants![another_download_path],
            &["getDownload: the document has no GET /api/packages/{id}, which was named for it"],
        )
        .mapped(&[("getDownload", "GET /api/packages/{id}")]),
        refused(
            "a decision about nothing",
            variants![without_license],
            &["getLicence: the contract has no such operation"],
        )
        .without(&["getLicence"]),
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
            "two files",
            variants![two_files_in_the_form],
            &["uploadFile: the form has several parts that hold files"],
        ),
        refused("no form", variants![upload_takes_json], &["uploadFile: "]),
        refused(
            "no READY",
            variants![download_state_without_ready],
            &["getDownload: DownloadStatus.status does not list READY", "QUEUED, GENERATING, FAILED"],
        ),
        refused("no PROCESSED", variants![processed_missing], &["does not list PROCESSED"]),
        refused(
            "ids are numbers",
            variants![id_as_integer],
            &["FileStatus.id is an integer instead of a text", "/components/schemas/FileStatus/properties/id"],
        ),
        refused(
            "no id",
            variants![id_missing],
            &["Dossier has no field `id` (nor dossierId), and the facade depends on it", "/components/schemas/Dossier"],
        ),
        refused("a bare list", variants![list_is_bare_array], &["getFiles: holds a bare list", "FileList"]),
        refused(
            "a state that is an object",
            variants![status_as_object],
            &["FileStatus.processingStatus is an object instead of a text"],
        ),
        refused(
            "components of fixed fields",
            variants![components_of_fixed_fields],
            &["FileComponents.components is an object of fixed fields instead of a map"],
        ),
    ]
}

/// Documents that can't be read, or whose parts do not fit together; and several reasons at once.
fn in_themselves() -> Vec<Case> {
    const GET_FILE: &str =
        "/paths/~1api~1dossier-templates~1{dossierTemplateId}~1dossiers~1{dossierId}~1files~1{fileId}/get";
    vec![
        refused("two versions", variants![two_api_versions], &["ambiguous", "/api/v2"]),
        refused(
            "another paging",
            variants![another_paging],
            &["getFiles: the list comes in a way that the facade does not follow: cursor"],
        ),
        refused("a file", variants![file_reference], &["etc/passwd", "out of the document, which is never followed"]),
        refused(
            "a url",
            variants![url_reference],
            &["http://127.0.0.1:9/models.json", "out of the document, which is never followed"],
        ),
        refused("a reference to nothing", variants![dangling_reference], &["NoSuchModel", "leads nowhere"]),
        refused("references in a circle", variants![reference_circle], &["Ping", "circle|made of itself"]),
        refused("allOf in a circle", variants![all_of_circle], &["Egg", "made of itself", "/components/schemas/"]),
        refused(
            "models in models",
            variants![models_in_models],
            &["models are nested in each other", "(/components/schemas/FileList)"],
        ),
        refused("openapi 3.2", variants![openapi_3_2], &["OpenAPI 3.2.0", "3.0", "convert"]),
        refused("swagger 2.0", variants![swagger_2_0], &["Swagger 2.0", "3.0", "convert"]),
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

/// Texts that are no document.
fn refused_texts() -> Vec<Case> {
    vec![
        refused("a key twice in json", variants![], &["paths", "twice"])
            .with_text(|text| text.replacen('{', "{\n  \"paths\": {},", 1)),
        refused("a key twice in yaml", variants![], &["uplicate"])
            .in_form(Form::Yaml)
            .with_text(|text| format!("{text}paths: {{}}\n")),
        refused("very deep json", variants![], &["recursion|deep|nest"]).with_text(|text| {
            let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
            text.replacen('{', &format!("{{\n  \"x-deep\": {deep},"), 1)
        }),
        refused("too deep in yaml", variants![too_deep], &["depth|deep|nest"]).in_form(Form::Yaml),
        refused("an alias bomb", variants![], &["limit|budget|more than|exceed"]).in_form(Form::Yaml).with_text(bomb),
        refused("an anchor that is not there", variants![], &["alias|anchor"])
            .in_form(Form::Yaml)
            .with_text(|text| format!("{text}x-alias: *nowhere\n")),
        refused("an anchor in itself", variants![], &["alias|anchor|recurs|circ"])
            .in_form(Form::Yaml)
            .with_text(|text| format!("{text}x-self: &self [*self]\n")),
        refused("two documents", variants![], &["document"])
            .in_form(Form::Yaml)
            .with_text(|text| format!("{text}---\n{text}")),
        refused("half of it", variants![], &["EOF|end of"]).with_text(|text| text[..text.len() / 2].to_owned()),
        refused("a web page", variants![], &["web page"])
            .with_text(|_| String::from("<!DOCTYPE html>\n<html></html>\n")),
        refused("nothing", variants![], &["mapping|object|nothing|empty|end of"]).with_text(|_| String::new()),
        refused("a list", variants![], &["mapping|object"]).with_text(|text| format!("[{text}]")),
        refused("utf-16", variants![], &["UTF-16|UTF-8"]).in_form(Form::JsonUtf16),
        refused("33 MB", variants![], &["bytes"]).with_text(|text| text + &" ".repeat(33 << 20)),
        refused("three million values", variants![], &["more than", "values"]).with_text(|text| {
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
