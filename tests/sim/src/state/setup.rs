//! The contents of a new workspace: two templates, three users, a license.

use std::collections::BTreeMap;

use super::{License, Template, User, Workspace, ids};
use crate::analysis::Rules;
use crate::timestamp::Timestamp;

impl Workspace {
    /// Creates a new workspace.
    pub(crate) fn new(
        seed: u64,
        now: Timestamp,
        workspace: &str,
        (user_id, username): (&str, &str),
        rules: &Rules,
    ) -> Self {
        let user = |id: String, username: &str, first: &str, last: &str, roles: &[&str]| User {
            id,
            username: username.to_owned(),
            first_name: first.to_owned(),
            last_name: last.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        };
        let users = vec![
            user(user_id.to_owned(), username, "Anna", "Lyst", &["USER", "MANAGER"]),
            user(ids::id(seed, "user", 2), "reviewer", "Reva", "Iwer", &["USER"]),
            user(ids::id(seed, "user", 3), "administrator", "Ada", "Min", &["USER", "MANAGER", "ADMIN"]),
        ];
        let began = now.start_of_year(-1);
        let report = |number: u64, name: &str| (ids::id(seed, "report-template", number), name.to_owned());
        let templates = vec![
            Template {
                id: ids::id(seed, "dossier-template", 1),
                name: rules.template.name.clone(),
                description: Some(rules.template.description.clone()),
                created_by: users[2].id.clone(),
                added: began,
                valid_from: began,
                valid_to: None,
                status: "ACTIVE".to_owned(),
                reports: BTreeMap::from([report(1, &rules.template.report)]),
            },
            Template {
                id: ids::id(seed, "dossier-template", 2),
                name: "Lease contracts".to_owned(),
                description: None,
                created_by: users[2].id.clone(),
                added: began,
                valid_from: began,
                valid_to: Some(now.start_of_year(0)),
                status: "INACTIVE".to_owned(),
                reports: BTreeMap::from([report(2, "Lease summary")]),
            },
        ];
        let license = License {
            id: ids::id(seed, "license", 1),
            licensed_to: workspace.to_owned(),
            from: now.start_of_year(0),
            to: Timestamp(now.start_of_year(2).0 - 1),
            pages: 100_000,
        };
        Self {
            seed,
            counters: BTreeMap::new(),
            templates,
            users,
            license,
            dossiers: BTreeMap::new(),
            files: BTreeMap::new(),
            downloads: BTreeMap::new(),
            usage: Vec::new(),
            fail_next_package: None,
            fail_next_analysis: None,
            planned_analyses: Vec::new(),
            license_exhausted: false,
        }
    }
}
