//! `cargo xtask public-api`: the public items of `documine`, as a file under version control, so that a change of the API is seen.
//!
//! The items come from rustdoc's JSON, one line each: functions with their signature, types with their fields and variants. Implemented traits of
//! this crate's types are listed by name, without those that the compiler derives automatically.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Parser;
use serde_json::Value;

use crate::workspace::{print, print_error, root};

/// The file with the listing, relative to the root of the workspace.
const LISTING: &str = "documine/public-api.txt";
/// Traits whose implementations say nothing about the API, because nearly every type has them.
const COMMON_TRAITS: [&str; 7] = ["Debug", "Clone", "Copy", "PartialEq", "Eq", "StructuralPartialEq", "Drop"];

/// List the public items of `documine` in documine/public-api.txt.
#[derive(Parser)]
pub(crate) struct Args {
    /// Compare with the file instead of writing it
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> ExitCode {
    match list().and_then(|listing| compare_or_write(&listing, args.check)) {
        Ok(line) => {
            print(&line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            print_error(&format!("public-api: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn compare_or_write(listing: &str, check: bool) -> Result<String, String> {
    let path = root().join(LISTING);
    let count = listing.lines().count();
    if !check {
        std::fs::write(&path, listing).map_err(|error| format!("{LISTING}: {error}"))?;
        return Ok(format!("{LISTING}: {count} public items"));
    }
    let committed = std::fs::read_to_string(&path).map_err(|error| format!("{LISTING}: {error}"))?;
    if committed == listing {
        return Ok(format!("{LISTING}: {count} public items, unchanged"));
    }
    let difference = similar::TextDiff::from_lines(committed.as_str(), listing);
    let mut changes = String::new();
    for change in difference.iter_all_changes().filter(|change| change.tag() != similar::ChangeTag::Equal) {
        let _ = write!(changes, "{}{}", change.tag(), change.value());
    }
    Err(format!("the public API changed; run `cargo xtask public-api`, and add a line to CHANGELOG.md:\n{changes}"))
}

/// Runs rustdoc and lists the items of its output.
fn list() -> Result<String, String> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(root())
        // rustdoc's JSON is unstable. The listing depends only on the parts read below.
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["rustdoc", "--quiet", "--locked", "-p", "documine", "--lib", "--all-features", "--target-dir"])
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"]);
    let status = command.status().map_err(|error| format!("cargo: {error}"))?;
    if !status.success() {
        return Err(String::from("cargo rustdoc failed"));
    }
    let path = target.join("doc/documine.json");
    let json = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let json: Value = serde_json::from_slice(&json).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut listing = Listing { index: &json["index"], lines: BTreeSet::new() };
    listing.module(&json["root"], "documine");
    let lines: Vec<_> = listing.lines.into_iter().collect();
    if lines.len() < 100 {
        return Err(format!(
            "only {} items found: rustdoc's JSON has another form (format {})",
            lines.len(),
            json["format_version"]
        ));
    }
    Ok(lines.join("\n") + "\n")
}

struct Listing<'a> {
    index: &'a Value,
    lines: BTreeSet<String>,
}

impl<'a> Listing<'a> {
    fn item(&self, id: &Value) -> Option<(&'a Value, &'a str, &'a Value)> {
        let item = &self.index[id.to_string().trim_matches('"')];
        let (kind, inner) = item["inner"].as_object()?.iter().next()?;
        Some((item, kind, inner))
    }

    fn module(&mut self, id: &Value, path: &str) {
        let Some((_, _, inner)) = self.item(id) else { return };
        for child in inner["items"].as_array().into_iter().flatten() {
            self.child(child, path);
        }
    }

    fn child(&mut self, id: &Value, path: &str) {
        let Some((item, kind, inner)) = self.item(id) else { return };
        if kind == "use" {
            let name = inner["name"].as_str().unwrap_or_default();
            match self.item(&inner["id"]) {
                Some((_, "module", _)) if inner["is_glob"] == true => self.module(&inner["id"], path),
                Some((_, kind, target_inner)) if kind != "module" => {
                    self.named(kind, target_inner, &format!("{path}::{name}"));
                }
                // Another crate, for example `http`.
                _ => drop(
                    self.lines.insert(format!("use {path}::{name} = {}", inner["source"].as_str().unwrap_or_default())),
                ),
            }
            return;
        }
        if item["visibility"] == "public" {
            let path = format!("{path}::{}", item["name"].as_str().unwrap_or_default());
            if kind == "module" {
                self.lines.insert(format!("mod {path}"));
                self.module(id, &path);
            } else {
                self.named(kind, inner, &path);
            }
        }
    }

    fn named(&mut self, kind: &str, inner: &'a Value, path: &str) {
        match kind {
            "struct" => {
                self.lines.insert(format!("struct {path}{}", generics(&inner["generics"])));
                for field in inner["kind"]["plain"]["fields"].as_array().into_iter().flatten() {
                    if let Some((field, _, ty)) = self.item(field).filter(|(field, ..)| field["visibility"] == "public")
                    {
                        self.lines.insert(format!("field {path}::{}: {}", text(&field["name"]), type_name(ty)));
                    }
                }
                self.impls(&inner["impls"], path);
            }
            "enum" => {
                self.lines.insert(format!("enum {path}{}", generics(&inner["generics"])));
                for variant in inner["variants"].as_array().into_iter().flatten() {
                    if let Some((variant, ..)) = self.item(variant) {
                        self.lines.insert(format!("variant {path}::{}", text(&variant["name"])));
                    }
                }
                self.impls(&inner["impls"], path);
            }
            "trait" => {
                self.lines.insert(format!("trait {path}{}", generics(&inner["generics"])));
                self.functions(&inner["items"], path);
            }
            "function" => self.function(inner, path),
            "constant" => drop(self.lines.insert(format!("const {path}: {}", type_name(&inner["type"])))),
            "type_alias" => drop(self.lines.insert(format!("type {path} = {}", type_name(&inner["type"])))),
            other => drop(self.lines.insert(format!("{other} {path}"))),
        }
    }

    fn impls(&mut self, ids: &'a Value, path: &str) {
        for id in ids.as_array().into_iter().flatten() {
            let Some((_, "impl", inner)) = self.item(id) else { continue };
            if inner["is_synthetic"] == true || !inner["blanket_impl"].is_null() {
                continue;
            }
            if inner["trait"].is_null() {
                self.functions(&inner["items"], path);
            } else {
                let name = path_name(&inner["trait"]);
                if !COMMON_TRAITS.contains(&name.as_str()) {
                    self.lines.insert(format!("impl {path}: {name}"));
                }
            }
        }
    }

    fn functions(&mut self, ids: &'a Value, path: &str) {
        for id in ids.as_array().into_iter().flatten() {
            let Some((item, kind, inner)) = self.item(id) else { continue };
            let is_visible = item["visibility"] == "public" || item["visibility"] == "default";
            match kind {
                "function" if is_visible => self.function(inner, &format!("{path}::{}", text(&item["name"]))),
                "assoc_const" if is_visible => {
                    self.lines.insert(format!("const {path}::{}", text(&item["name"])));
                }
                "assoc_type" => drop(self.lines.insert(format!("type {path}::{}", text(&item["name"])))),
                _ => {}
            }
        }
    }

    fn function(&mut self, inner: &Value, path: &str) {
        let inputs: Vec<String> = inner["sig"]["inputs"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|input| match (text(&input[0]), type_name(&input[1])) {
                ("self", ty) if ty == "Self" => String::from("self"),
                ("self", ty) if ty == "&Self" => String::from("&self"),
                ("self", ty) if ty == "&mut Self" => String::from("&mut self"),
                (name, ty) => format!("{name}: {ty}"),
            })
            .collect();
        let output = &inner["sig"]["output"];
        let output = if output.is_null() { String::new() } else { format!(" -> {}", type_name(output)) };
        let keyword = if inner["header"]["is_async"] == true { "async fn" } else { "fn" };
        self.lines.insert(format!("{keyword} {path}{}({}){output}", generics(&inner["generics"]), inputs.join(", ")));
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the type parameters with their bounds. Lifetimes and the parameters of `impl Trait` arguments are omitted.
fn generics(generics: &Value) -> String {
    let mut names = Vec::new();
    for param in generics["params"].as_array().into_iter().flatten() {
        let ty = &param["kind"]["type"];
        if ty.is_object() && ty["is_synthetic"] != true {
            let bounds = bounds(&ty["bounds"]);
            names.push(format!("{}{}{bounds}", text(&param["name"]), if bounds.is_empty() { "" } else { ": " }));
        }
    }
    let mut line = if names.is_empty() { String::new() } else { format!("<{}>", names.join(", ")) };
    for predicate in generics["where_predicates"].as_array().into_iter().flatten() {
        let bound = &predicate["bound_predicate"];
        if bound.is_object() {
            let _ = write!(line, " where {}: {}", type_name(&bound["type"]), bounds(&bound["bounds"]));
        }
    }
    line
}

fn bounds(bounds: &Value) -> String {
    let names = bounds.as_array().into_iter().flatten().filter_map(|bound| match &bound["trait_bound"] {
        Value::Object(_) => Some(format!(
            "{}{}",
            if bound["trait_bound"]["modifier"] == "maybe" { "?" } else { "" },
            path_name(&bound["trait_bound"]["trait"])
        )),
        _ => bound["outlives"].as_str().map(str::to_owned),
    });
    names.collect::<Vec<_>>().join(" + ")
}

/// Returns the last segment of a path with its arguments.
fn path_name(path: &Value) -> String {
    let name = text(&path["path"]).rsplit("::").next().unwrap_or_default();
    format!("{name}{}", arguments(&path["args"]))
}

fn arguments(args: &Value) -> String {
    if let Some(parenthesized) = args.get("parenthesized") {
        let inputs: Vec<_> = parenthesized["inputs"].as_array().into_iter().flatten().map(type_name).collect();
        let output = &parenthesized["output"];
        let output = if output.is_null() { String::new() } else { format!(" -> {}", type_name(output)) };
        return format!("({}){output}", inputs.join(", "));
    }
    let angle = &args["angle_bracketed"];
    let mut all: Vec<String> = angle["args"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|arg| arg.get("type").map(type_name).or_else(|| arg["lifetime"].as_str().map(str::to_owned)))
        .collect();
    for constraint in angle["constraints"].as_array().into_iter().flatten() {
        all.push(format!("{} = {}", text(&constraint["name"]), type_name(&constraint["binding"]["equality"]["type"])));
    }
    if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) }
}

/// Returns a type as it is written in the source.
fn type_name(ty: &Value) -> String {
    let Some((kind, inner)) = ty.as_object().and_then(|ty| ty.iter().next()) else { return String::from("_") };
    let list = |items: &Value| items.as_array().into_iter().flatten().map(type_name).collect::<Vec<_>>().join(", ");
    match kind.as_str() {
        "resolved_path" => path_name(inner),
        "primitive" | "generic" => text(inner).to_owned(),
        "borrowed_ref" => {
            format!("&{}{}", if inner["is_mutable"] == true { "mut " } else { "" }, type_name(&inner["type"]))
        }
        "tuple" => format!("({})", list(inner)),
        "slice" => format!("[{}]", type_name(inner)),
        "array" => format!("[{}; {}]", type_name(&inner["type"]), text(&inner["len"])),
        "impl_trait" => format!("impl {}", bounds(inner)),
        "dyn_trait" => {
            let traits = inner["traits"].as_array().into_iter().flatten().map(|bound| path_name(&bound["trait"]));
            format!("dyn {}", traits.collect::<Vec<_>>().join(" + "))
        }
        "qualified_path" => format!("{}::{}", type_name(&inner["self_type"]), text(&inner["name"])),
        "function_pointer" => {
            let inputs = inner["sig"]["inputs"].as_array().into_iter().flatten().map(|input| type_name(&input[1]));
            format!("fn({}) -> {}", inputs.collect::<Vec<_>>().join(", "), type_name(&inner["sig"]["output"]))
        }
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_reexports_methods_and_signatures() {
        let json = json!({
            "0": {"inner": {"module": {"items": [1, 9]}}},
            "1": {"inner": {"use": {"name": "Client", "source": "client::Client", "id": 2, "is_glob": false}}},
            "2": {"name": "Client", "visibility": "public", "inner": {"struct": {"generics": {"params": []}, "kind": "unit", "impls": [3]}}},
            "3": {"inner": {"impl": {"trait": null, "items": [4], "is_synthetic": false, "blanket_impl": null}}},
            "4": {"name": "users", "visibility": "public", "inner": {"function": {"generics": {"params": []}, "header": {"is_async": true}, "sig": {
                "inputs": [["self", {"borrowed_ref": {"is_mutable": false, "type": {"generic": "Self"}}}], ["ids", {"slice": {"primitive": "u8"}}]],
                "output": {"resolved_path": {"path": "crate::Result", "args": {"angle_bracketed": {"args": [{"type": {"tuple": []}}], "constraints": []}}}}
            }}}},
            "9": {"name": "hidden", "visibility": "crate", "inner": {"function": {"sig": {"inputs": []}}}},
        });
        let mut listing = Listing { index: &json, lines: BTreeSet::new() };
        listing.module(&json!(0), "documine");
        let lines: Vec<_> = listing.lines.into_iter().collect();
        assert_eq!(
            lines,
            ["async fn documine::Client::users(&self, ids: [u8]) -> Result<()>", "struct documine::Client"]
        );
    }
}
