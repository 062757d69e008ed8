//! Routing: the operation of a request, by method and path.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// The routes of the API.
pub(crate) struct Routes {
    routes: Vec<Route>,
}

struct Route {
    operation: &'static str,
    method: String,
    segments: Vec<PathSegment>,
}

enum PathSegment {
    Fixed(&'static str),
    Parameter(&'static str),
}

/// The route of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum RouteMatch {
    Operation {
        id: &'static str,
        parameters: BTreeMap<&'static str, String>,
    },
    /// The path exists with other methods, which are listed here.
    MethodNotAllowed(Vec<String>),
    NotFound,
}

impl Routes {
    /// Creates the routes of the operations that the document in use has.
    pub(crate) fn of_document() -> Self {
        let operations = documine_api::operations::OPERATIONS.iter().filter(|operation| !operation.missing);
        Self::new(operations.map(|operation| (operation.id, operation.method.to_owned(), operation.path)))
    }

    /// Creates routes from rows of operation id, method and path.
    pub(crate) fn new(rows: impl IntoIterator<Item = (&'static str, String, &'static str)>) -> Self {
        let routes = rows.into_iter().map(|(operation, method, path)| Route {
            operation,
            method: method.to_uppercase(),
            segments: segments(path),
        });
        Self { routes: routes.collect() }
    }

    /// Finds the operation. A fixed segment takes precedence over a parameter.
    pub(crate) fn find(&self, method: &str, path: &str) -> RouteMatch {
        let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let fitting: Vec<&Route> = self.routes.iter().filter(|route| route.fits(&parts)).collect();
        let most_fixed = fitting.iter().map(|route| route.fixed()).max();
        let fitting: Vec<&Route> = fitting.into_iter().filter(|route| Some(route.fixed()) == most_fixed).collect();
        match fitting.iter().find(|route| route.method == method) {
            Some(route) => RouteMatch::Operation { id: route.operation, parameters: route.parameters(&parts) },
            None if fitting.is_empty() => RouteMatch::NotFound,
            None => RouteMatch::MethodNotAllowed(fitting.into_iter().map(|route| route.method.clone()).collect()),
        }
    }
}

impl Route {
    fn fits(&self, parts: &[&str]) -> bool {
        self.segments.len() == parts.len()
            && self.segments.iter().zip(parts).all(|(segment, part)| match segment {
                PathSegment::Fixed(fixed) => fixed == part,
                PathSegment::Parameter(_) => !part.is_empty(),
            })
    }

    fn fixed(&self) -> usize {
        self.segments.iter().filter(|segment| matches!(segment, PathSegment::Fixed(_))).count()
    }

    fn parameters(&self, parts: &[&str]) -> BTreeMap<&'static str, String> {
        let pairs = self.segments.iter().zip(parts);
        pairs
            .filter_map(|(segment, part)| match segment {
                PathSegment::Fixed(_) => None,
                PathSegment::Parameter(name) => {
                    Some((*name, percent_decode_str(part).decode_utf8_lossy().into_owned()))
                }
            })
            .collect()
    }
}

fn segments(path: &'static str) -> Vec<PathSegment> {
    let parts = path.trim_start_matches('/').split('/');
    parts
        .map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => PathSegment::Parameter(name),
            None => PathSegment::Fixed(part),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let row = |operation, method: &str, path| (operation, method.to_owned(), path);
        Routes::new([
            row("one", "get", "/a/{id}"),
            row("bulk", "post", "/a/bulk/x"),
            row("x", "post", "/a/{id}/x"),
            row("end", "delete", "/a/{id}"),
        ])
    }

    #[test]
    fn prefers_fixed_segments_and_decodes_parameters() {
        assert!(matches!(routes().find("POST", "/a/bulk/x"), RouteMatch::Operation { id: "bulk", .. }));
        let RouteMatch::Operation { id, parameters } = routes().find("GET", "/a/%2F..%C3%BC") else { panic!("found") };
        assert_eq!((id, parameters["id"].as_str()), ("one", "/..ü"));
    }

    #[test]
    fn returns_the_methods_of_a_known_path() {
        assert_eq!(
            routes().find("PUT", "/a/1"),
            RouteMatch::MethodNotAllowed(vec!["GET".to_owned(), "DELETE".to_owned()])
        );
        assert_eq!(routes().find("GET", "/a"), RouteMatch::NotFound);
        assert_eq!(routes().find("GET", "/a/"), RouteMatch::NotFound);
    }
}
