//! A browser as far as login pages need one: cookies, redirects within the provider, forms.

use std::collections::BTreeMap;

use http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{Method, StatusCode};
use url::Url;

use crate::Failure;

/// A login has a handful of redirects.
const MOST_REDIRECTS: usize = 10;

/// A browser without a session.
pub struct Browser {
    http: reqwest::Client,
    /// Cookies by name. Attributes are ignored: browsers keep `Secure` cookies over http on loopback as well, and all pages of
    /// a scenario belong to one provider.
    cookies: BTreeMap<String, String>,
}

/// The page at which the browser ended.
pub struct Page {
    /// The address in its line.
    pub address: Url,
    /// The status of the answer.
    pub status: StatusCode,
    /// The HTML; empty where the address is not the provider's, which is not visited.
    pub html: String,
}

impl Browser {
    /// Opens no page yet.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self { http: crate::raw::http()?, cookies: BTreeMap::new() })
    }

    /// Opens an address and follows redirects as long as they stay at the same host and port.
    pub async fn open(&mut self, address: &str) -> Result<Page, Failure> {
        self.go(Method::GET, Url::parse(address)?, None).await
    }

    /// Sends the form of a page. `fields` are what the person types or clicks; hidden fields go along as they are.
    pub async fn send(&mut self, page: &Page, form: &str, fields: &[(&str, &str)]) -> Result<Page, Failure> {
        let form = Form::find(&page.html, form).ok_or_else(|| page.surprise(&format!("a form with `{form}`")))?;
        let target = page.address.join(&form.action)?;
        let hidden = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = crate::raw::form(hidden.chain(fields.iter().copied()));
        self.go(Method::POST, target, Some(body)).await
    }

    async fn go(&mut self, mut method: Method, mut target: Url, mut body: Option<String>) -> Result<Page, Failure> {
        let home = target.origin();
        for _ in 0..MOST_REDIRECTS {
            let cookies =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            // Keycloak takes a posted form for a program's request unless the request accepts HTML.
            let mut request =
                self.http.request(method, target.clone()).header(ACCEPT, "text/html").header(COOKIE, cookies);
            if let Some(body) = body.take() {
                request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
            }
            let answer = request.send().await?;
            self.remember(answer.headers());
            let status = answer.status();
            let Some(location) = answer.headers().get(LOCATION).filter(|_| status.is_redirection()) else {
                return Ok(Page { address: target, status, html: answer.text().await? });
            };
            target = target.join(location.to_str()?)?;
            method = Method::GET;
            if target.origin() != home {
                return Ok(Page { address: target, status, html: String::new() });
            }
        }
        Err(format!("the provider redirects without an end, at last to {}", target.path()).into())
    }

    fn remember(&mut self, headers: &http::HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE).iter().filter_map(|cookie| cookie.to_str().ok()) {
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                // An empty value is how cookies are taken back.
                if value.is_empty() {
                    self.cookies.remove(name.trim());
                } else {
                    self.cookies.insert(name.trim().to_owned(), value.to_owned());
                }
            }
        }
    }
}

impl Page {
    /// Returns `true` if the page has an element with this id or a field of this name.
    pub fn has(&self, name: &str) -> bool {
        ["id", "name"].iter().any(|attribute| self.html.contains(&format!("{attribute}=\"{name}\"")))
    }

    /// The address, if the browser was sent back to the program.
    pub fn sent_back(&self, provider: &str) -> Option<String> {
        (!self.address.as_str().starts_with(provider)).then(|| self.address.to_string())
    }

    /// A page that is not what was expected: what it says, in short and without its markup.
    pub fn surprise(&self, expected: &str) -> Failure {
        let mut text = String::new();
        let mut inside = false;
        for letter in self.html.split("<body").last().unwrap_or_default().chars() {
            match letter {
                '<' => inside = true,
                '>' => inside = false,
                _ if !inside => text.push(letter),
                _ => {}
            }
        }
        let text = text.split_whitespace().take(40).collect::<Vec<_>>().join(" ");
        format!("{expected} was expected at {}, and there is ({}): {text}", self.address.path(), self.status).into()
    }
}

/// A form of a page.
struct Form {
    action: String,
    hidden: Vec<(String, String)>,
}

impl Form {
    /// The form that has `mark` somewhere in it: an id, the name of a field.
    fn find(html: &str, mark: &str) -> Option<Self> {
        let mark = format!("=\"{mark}\"");
        let form = html.split("<form").skip(1).map(|rest| rest.split("</form").next().unwrap_or_default());
        let form = form.into_iter().find(|form| form.contains(&mark))?;
        let hidden = form.split("<input").skip(1).filter_map(|input| {
            let input = input.split('>').next()?;
            let is_hidden = attribute(input, "type").as_deref() == Some("hidden");
            is_hidden.then(|| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default())))?
        });
        Some(Self { action: attribute(form.split('>').next()?, "action")?, hidden: hidden.collect() })
    }
}

/// The value of an attribute in a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&amp;", "&").replace("&#x3D;", "=").replace("&quot;", "\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_found_by_what_is_in_it() {
        let html = "<form action=\"/a\"><input name=\"x\"></form>\
                    <form id=\"kc\" class=\"b\" action=\"/b?c=1&amp;d=2\"><input type=\"hidden\" name=\"code\" value=\"v\"/>\
                    <input type=\"text\" name=\"username\"></form>";
        let found = Form::find(html, "username").map(|form| (form.action, form.hidden));
        assert_eq!(found, Some(("/b?c=1&d=2".into(), vec![("code".into(), "v".into())])));
        assert!(Form::find(html, "password").is_none());
    }
}
