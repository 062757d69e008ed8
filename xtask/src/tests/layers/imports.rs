//! Reads the imports of a crate: every `use`, and every path that begins with `crate`, `self` or `super`, also inside of macros.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, UseTree};

/// Path of a module below the crate root; empty for the root.
pub(super) type ModulePath = Vec<String>;

/// Longest chain of re-exports that is followed.
const MAX_REEXPORTS: usize = 8;

/// An import of one module by another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Import {
    pub(super) from: ModulePath,
    /// Module that defines the item, re-exports followed.
    pub(super) to: ModulePath,
    /// Path in the source.
    pub(super) path: String,
    /// The path names the item at the crate root, which re-exports it from another module.
    pub(super) through_root: bool,
}

/// A module as it stands in its file.
#[derive(Default)]
struct Module {
    /// Names of the items that the module defines.
    items: BTreeSet<String>,
    /// Imported name → path. Children reach imported names of their parent, too.
    uses: BTreeMap<String, Vec<String>>,
    /// Paths of `use path::*`.
    globs: Vec<Vec<String>>,
    /// Paths in the source, relative to the module.
    paths: BTreeSet<Vec<String>>,
}

/// All modules of a crate that are not compiled for tests only.
#[derive(Default)]
pub(super) struct CrateModules(BTreeMap<ModulePath, Module>);

impl CrateModules {
    /// Reads the modules from the root file on. `read` returns the text of a file below the source folder.
    pub(super) fn read(root_file: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut modules = Self::default();
        modules.read_file(root_file, "", Vec::new(), read)?;
        Ok(modules)
    }

    /// `folder`: where the files of child modules are.
    fn read_file(
        &mut self,
        file: &str,
        folder: &str,
        path: ModulePath,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<(), String> {
        let text = read(file).ok_or_else(|| format!("{file} is missing"))?;
        let syntax = syn::parse_file(&text).map_err(|error| format!("{file}: {error}"))?;
        let mut collector = ImportCollector::default();
        collector.items(&syntax.items);
        self.0.insert(path.clone(), collector.module);
        for (name, file) in collector.children {
            let (candidates, child_folder) = match file {
                // The children of such a file are beside it.
                Some(file) => {
                    let file = format!("{folder}{file}");
                    let beside = file.rsplit_once('/').map_or_else(String::new, |(beside, _)| format!("{beside}/"));
                    (vec![file], beside)
                }
                None => {
                    (vec![format!("{folder}{name}.rs"), format!("{folder}{name}/mod.rs")], format!("{folder}{name}/"))
                }
            };
            let found = candidates.iter().find(|candidate| read(candidate).is_some());
            let found = found.ok_or_else(|| format!("{} is missing", candidates.join(" or ")))?;
            let child = [&path[..], std::slice::from_ref(&name)].concat();
            self.read_file(found, &child_folder, child, read)?;
        }
        Ok(())
    }

    /// Lists the top-level modules.
    pub(super) fn top_level(&self) -> BTreeSet<String> {
        self.0.keys().filter_map(|path| path.first().cloned()).collect()
    }

    /// Resolves all paths to the modules that define the items.
    pub(super) fn imports(&self) -> BTreeSet<Import> {
        let mut imports = BTreeSet::new();
        for (from, module) in &self.0 {
            for path in &module.paths {
                let Some((named, to)) = self.resolve(from, path, 0) else { continue };
                if to != *from {
                    let through_root =
                        named.is_empty() && !to.is_empty() && path.first().is_some_and(|first| first == "crate");
                    imports.insert(Import { from: from.clone(), to, path: path.join("::"), through_root });
                }
            }
        }
        imports
    }

    /// Returns the module that the path names, and the module that defines the item. `None`: the path leads out of the crate.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<(ModulePath, ModulePath)> {
        let mut module = from.to_vec();
        let mut rest = path;
        match rest.first()?.as_str() {
            "crate" => {
                module.clear();
                rest = &rest[1..];
            }
            "self" | "super" => {
                while let Some(first @ ("self" | "super")) = rest.first().map(String::as_str) {
                    if first == "super" {
                        module.pop()?;
                    }
                    rest = &rest[1..];
                }
            }
            // A path that begins with a child module; everything else is another crate.
            first => {
                self.0.get(&[from, &[first.to_owned()]].concat())?;
            }
        }
        while let Some(first) = rest.first() {
            let child = [&module[..], std::slice::from_ref(first)].concat();
            if !self.0.contains_key(&child) {
                break;
            }
            module = child;
            rest = &rest[1..];
        }
        let defined = rest.first().and_then(|name| self.definition(&module, name, depth));
        Some((module.clone(), defined.unwrap_or(module)))
    }

    /// Follows the imports of a module to the definition of a name.
    fn definition(&self, module: &[String], name: &str, depth: usize) -> Option<ModulePath> {
        let found = self.0.get(module)?;
        if depth >= MAX_REEXPORTS || found.items.contains(name) {
            return None;
        }
        if let Some(path) = found.uses.get(name) {
            // A name from another crate belongs to the module that re-exports it.
            let resolved = self.resolve(module, path, depth + 1);
            return Some(resolved.map_or_else(|| module.to_vec(), |(_, to)| to));
        }
        found.globs.iter().find_map(|glob| {
            let (_, target) = self.resolve(module, glob, depth + 1)?;
            let holds = self.0.get(&target).is_some_and(|module| module.items.contains(name));
            if holds { Some(target) } else { self.definition(&target, name, depth + 1) }
        })
    }
}

/// Returns whether an item is compiled for tests only.
fn is_test_only(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_test = attribute.path().is_ident("test");
        let tokens = attribute.meta.to_token_stream().to_string().replace(' ', "");
        is_test || (attribute.path().is_ident("cfg") && tokens.contains("test") && !tokens.contains("not(test)"))
    })
}

/// Collects the content of one file.
#[derive(Default)]
struct ImportCollector {
    module: Module,
    /// Child modules in files of their own, with the value of `#[path]`.
    children: Vec<(String, Option<String>)>,
    /// Depth of inline modules, which count as part of their file.
    inline: usize,
}

impl ImportCollector {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.visit_item(item);
        }
    }

    /// Adds a path. `super` of an inline module is the module of the file.
    fn path(&mut self, segments: Vec<String>) {
        let mut path = segments;
        for _ in 0..self.inline {
            match path.first().map(String::as_str) {
                Some("super") => drop(path.remove(0)),
                _ => break,
            }
        }
        if path.len() > 1 || path.first().is_some_and(|first| first != "crate" && first != "super" && first != "self") {
            self.module.paths.insert(path);
        }
    }

    fn tree(&mut self, prefix: &mut Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.tree(prefix, &path.tree);
                prefix.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(prefix, tree);
                }
            }
            UseTree::Glob(_) => {
                self.module.globs.push(prefix.clone());
                self.path(prefix.clone());
            }
            UseTree::Name(name) => self.import(prefix, &name.ident.to_string(), None),
            UseTree::Rename(rename) => self.import(prefix, &rename.ident.to_string(), Some(rename.rename.to_string())),
        }
    }

    fn import(&mut self, prefix: &[String], name: &str, renamed: Option<String>) {
        let mut path = prefix.to_vec();
        let mut visible = renamed.unwrap_or_else(|| name.to_owned());
        if name == "self" {
            visible = if visible == "self" { prefix.last().cloned().unwrap_or_default() } else { visible };
        } else {
            path.push(name.to_owned());
        }
        if self.inline == 0 {
            self.module.uses.insert(visible, path.clone());
        }
        self.path(path);
    }

    /// Finds paths in the tokens of a macro, which syn does not parse.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    let continues = colons == 2 && !path.is_empty();
                    if !continues {
                        self.end_of_path(&mut path);
                    }
                    if continues || matches!(ident.to_string().as_str(), "crate" | "self" | "super") {
                        path.push(ident.to_string());
                    }
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    self.end_of_path(&mut path);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.end_of_path(&mut path);
    }

    fn end_of_path(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.path(path);
        }
    }
}

impl<'ast> Visit<'ast> for ImportCollector {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name): (&[Attribute], Option<String>) = match item {
            Item::Const(item) => (&item.attrs, Some(item.ident.to_string())),
            Item::Enum(item) => (&item.attrs, Some(item.ident.to_string())),
            Item::Fn(item) => (&item.attrs, Some(item.sig.ident.to_string())),
            Item::Impl(item) => (&item.attrs, None),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref().map(ToString::to_string)),
            Item::Mod(item) => (&item.attrs, None),
            Item::Static(item) => (&item.attrs, Some(item.ident.to_string())),
            Item::Struct(item) => (&item.attrs, Some(item.ident.to_string())),
            Item::Trait(item) => (&item.attrs, Some(item.ident.to_string())),
            Item::Type(item) => (&item.attrs, Some(item.ident.to_string())),
            Item::Use(item) => (&item.attrs, None),
            _ => (&[], None),
        };
        if is_test_only(attributes) {
            return;
        }
        if let Some(name) = name.filter(|_| self.inline == 0) {
            self.module.items.insert(name);
        }
        match item {
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    self.inline += 1;
                    self.items(items);
                    self.inline -= 1;
                    return;
                }
                let path = module.attrs.iter().find(|attribute| attribute.path().is_ident("path"));
                let path = path.map(|attribute| attribute.meta.to_token_stream().to_string());
                let file = path.and_then(|path| Some(path.split('"').nth(1)?.to_owned()));
                self.children.push((module.ident.to_string(), file));
            }
            other => visit::visit_item(self, other),
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test_only(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.tree(&mut Vec::new(), &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 && matches!(segments[0].as_str(), "crate" | "self" | "super") {
            self.path(segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.tokens(item.tokens.clone());
        visit::visit_macro(self, item);
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {
        // Paths in attributes are names of derives and lints.
    }
}
