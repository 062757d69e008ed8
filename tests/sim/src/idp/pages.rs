//! The provider's web pages: plain HTML for users and test drivers.
//!
//! Forms and fields have the ids and names of Keycloak's default pages (`kc-form-login`, `username`, `password`, `kc-login`, `accept`, `cancel`,
//! `device_user_code`), so that one driver works on both.

use http::header::{HeaderValue, SET_COOKIE};

use axum::response::Response;
use http::StatusCode;

use super::realm::Realm;
use super::responses::page;

/// The cookie of the user who is logged in in this browser.
pub(super) const BROWSER_COOKIE: &str = "DOCUMINE_SIM_BROWSER";

/// Escapes text for HTML, including attributes.
pub(super) fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut safe, letter| {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
        safe
    })
}

/// Returns a whole page. `content` is HTML.
pub(super) fn layout(workspace: &str, title: &str, content: &str) -> String {
    let (workspace, title) = (escaped(workspace), escaped(title));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\">\
         <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:24em;margin:4em auto;padding:0 1em}}\
         label,input{{display:block;width:100%;box-sizing:border-box}}input{{margin:.2em 0 1em;padding:.5em}}\
         .error{{color:#a00}}small{{color:#666}}</style></head>\n\
         <body><small>{workspace} (simulated)</small>\n<h1 id=\"kc-page-title\">{title}</h1>\n{content}\n</body></html>\n"
    )
}

impl Realm {
    /// Returns the login form of the open login page `id`.
    pub(super) fn login_form(&self, base: &str, id: &str, error: Option<&str>) -> Response {
        let action = escaped(&format!("{base}/login-actions/authenticate?session_code={id}"));
        let error = error_line(error);
        let content = format!(
            "{error}<form id=\"kc-form-login\" action=\"{action}\" method=\"post\">\
             <label for=\"username\">User name or e-mail</label>\
             <input id=\"username\" name=\"username\" type=\"text\" autocomplete=\"username\" autofocus>\
             <label for=\"password\">Password</label>\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\">\
             <input id=\"kc-login\" name=\"login\" type=\"submit\" value=\"Log in\"></form>"
        );
        self.page(StatusCode::OK, "Log in", &content)
    }

    /// Returns the consent form for a client.
    pub(super) fn consent_form(&self, base: &str, id: &str, client_id: &str) -> Response {
        let action = escaped(&format!("{base}/login-actions/consent?session_code={id}"));
        let client = escaped(client_id);
        let content = format!(
            "<p><b>{client}</b> wants to work in your name. Allow it only if you started it.</p>\
             <form action=\"{action}\" method=\"post\">\
             <input id=\"kc-login\" name=\"accept\" type=\"submit\" value=\"Yes\">\
             <input id=\"kc-cancel\" name=\"cancel\" type=\"submit\" value=\"No\"></form>"
        );
        self.page(StatusCode::OK, "Allow access?", &content)
    }

    /// Returns the form for the user code of a device.
    pub(super) fn user_code_form(&self, base: &str, error: Option<&str>) -> Response {
        let action = escaped(&format!("{base}/device"));
        let error = error_line(error);
        let content = format!(
            "{error}<form id=\"kc-user-verify-device-user-code-form\" action=\"{action}\" method=\"post\">\
             <label for=\"device-user-code\">The code your device shows</label>\
             <input id=\"device-user-code\" name=\"device_user_code\" type=\"text\" autocomplete=\"off\" autofocus>\
             <input type=\"submit\" value=\"Continue\"></form>"
        );
        self.page(StatusCode::OK, "Device login", &content)
    }

    /// Returns a page with one message.
    pub(super) fn message(&self, status: StatusCode, title: &str, text: &str) -> Response {
        self.page(status, title, &format!("<p id=\"kc-message\">{}</p>", escaped(text)))
    }

    fn page(&self, status: StatusCode, title: &str, content: &str) -> Response {
        page(status, layout(&self.config.workspace, title, content))
    }

    /// Sets the cookie that remembers the browser.
    pub(super) fn set_browser_cookie(&self, mut response: Response, browser: &str) -> Response {
        let text =
            format!("{BROWSER_COOKIE}={browser}; Path=/auth/realms/{}/; HttpOnly; SameSite=Lax", self.config.workspace);
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append(SET_COOKIE, value);
        }
        response
    }
}

fn error_line(error: Option<&str>) -> String {
    error.map(|text| format!("<p class=\"error\" id=\"input-error\">{}</p>", escaped(text))).unwrap_or_default()
}
