//! The HTTP status with which a web service passes an error on to its own clients.

use http::StatusCode;

use super::{Error, ErrorKind};

impl Error {
    /// Returns the HTTP status with which a web service with one account for all users can pass this error on; see the
    /// [table](Self#http-statuses-for-a-web-service).
    ///
    /// Like [`suggested_status`](Self::suggested_status), but 502 in place of 401: a failed login of the web service is no matter of its users.
    pub fn suggested_status_for_service_account(&self) -> StatusCode {
        match self.suggested_status() {
            StatusCode::UNAUTHORIZED => StatusCode::BAD_GATEWAY,
            status => status,
        }
    }

    /// Returns the HTTP status with which a web service with a login per user can pass this error on; see the
    /// [table](Self#http-statuses-for-a-web-service).
    pub fn suggested_status(&self) -> StatusCode {
        if self.is_rate_limited() {
            StatusCode::TOO_MANY_REQUESTS
        } else if self.is_not_found() {
            StatusCode::NOT_FOUND
        } else if self.is_conflict() {
            StatusCode::CONFLICT
        } else if self.is_forbidden() {
            StatusCode::FORBIDDEN
        } else if self.needs_login() || self.is_unauthorized() {
            StatusCode::UNAUTHORIZED
        } else if self.is_timeout() {
            StatusCode::GATEWAY_TIMEOUT
        } else if self.is_transient() {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            match self.kind() {
                ErrorKind::Input => StatusCode::BAD_REQUEST,
                ErrorKind::Extract => StatusCode::UNPROCESSABLE_ENTITY,
                ErrorKind::Config | ErrorKind::File | ErrorKind::UnsupportedByDocument => {
                    StatusCode::INTERNAL_SERVER_ERROR
                }
                ErrorKind::Auth
                | ErrorKind::Connect
                | ErrorKind::Timeout
                | ErrorKind::Interrupted
                | ErrorKind::Api
                | ErrorKind::Decode
                | ErrorKind::Integrity
                | ErrorKind::Operation => StatusCode::BAD_GATEWAY,
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "these are tests")]
mod tests {
    use super::*;

    /// Returns the rows of the documented table: the first three cells of each.
    fn documented_rows() -> Vec<(&'static str, [u16; 2])> {
        let table = include_str!("../error.rs").split_once("| error | login per user | service account |");
        let table = table.expect("a table").1;
        let rows = table.lines().skip(2).map_while(|line| line.strip_prefix("/// | "));
        rows.map(|row| {
            let mut cells = row.split('|').map(str::trim);
            let name = cells.next().expect("an error").trim_matches('`');
            (name, [(); 2].map(|()| cells.next().expect("a status").parse().expect("a number")))
        })
        .collect()
    }

    /// Returns an error to which the row applies, and no earlier row.
    fn example(row: &str) -> Error {
        let api = |status| Error::builder(ErrorKind::Api).status(status).build();
        let kind = |kind| Error::builder(kind).build();
        match row {
            "is_rate_limited()" => api(StatusCode::TOO_MANY_REQUESTS),
            "is_not_found()" => api(StatusCode::NOT_FOUND),
            "is_conflict()" => api(StatusCode::CONFLICT),
            "is_forbidden()" => api(StatusCode::FORBIDDEN),
            "needs_login()" => Error::builder(ErrorKind::Auth).needs_login(true).build(),
            "is_unauthorized()" => api(StatusCode::UNAUTHORIZED),
            "is_timeout()" => kind(ErrorKind::Timeout),
            "is_transient()" => api(StatusCode::SERVICE_UNAVAILABLE),
            "ErrorKind::Input" => kind(ErrorKind::Input),
            "ErrorKind::Extract" => kind(ErrorKind::Extract),
            "ErrorKind::Config" => kind(ErrorKind::Config),
            "ErrorKind::File" => kind(ErrorKind::File),
            "ErrorKind::UnsupportedByDocument" => kind(ErrorKind::UnsupportedByDocument),
            "any other" => kind(ErrorKind::Decode),
            other => unreachable!("a row without an example: {other}"),
        }
    }

    #[test]
    fn documented_table_matches_suggested_statuses() {
        let rows = documented_rows();
        assert_eq!(rows.len(), 14);
        for (row, statuses) in rows {
            let error = example(row);
            let suggested = [error.suggested_status(), error.suggested_status_for_service_account()];
            assert_eq!(suggested.map(|status| status.as_u16()), statuses, "{row}");
        }
    }

    #[test]
    fn statuses_of_the_service_are_not_passed_on_unchanged() {
        let status = |status| Error::builder(ErrorKind::Api).status(status).build().suggested_status().as_u16();
        assert_eq!(status(StatusCode::BAD_REQUEST), 502);
        assert_eq!(status(StatusCode::INTERNAL_SERVER_ERROR), 502);
        assert_eq!(status(StatusCode::BAD_GATEWAY), 503);
    }
}
