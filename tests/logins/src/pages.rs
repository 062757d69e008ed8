//! Login pages as Keycloak has them; the simulator's have the same ids and names.

use crate::browser::{Browser, Page};
use crate::{Decision, DevicePrompt, Failure, User};

/// Visits the page of an authorization request as a user; see [`Provider::visit`](crate::Provider::visit).
pub async fn visit(provider: &str, address: &str, user: &User, decision: Decision) -> Result<Option<String>, Failure> {
    let mut browser = Browser::new()?;
    let page = browser.open(address).await?;
    if !page.has("username") {
        // Nothing to log in at: the request itself was expect_error, here or at the program.
        return Ok(page.sent_back(provider));
    }
    let page = log_in(&mut browser, &page, user).await?;
    let page = if page.has("accept") { decide(&mut browser, &page, decision).await? } else { page };
    match page.sent_back(provider) {
        Some(address) => Ok(Some(address)),
        None => Err(page.surprise("a way back to the program")),
    }
}

/// Confirms or denies a device login as a user; see [`Provider::confirm`](crate::Provider::confirm).
pub async fn confirm(prompt: &DevicePrompt, user: &User, decision: Decision) -> Result<(), Failure> {
    let mut browser = Browser::new()?;
    // The code is typed, because the link with the code in it leaves that out.
    let page = browser.open(&prompt.page).await?;
    let page = browser.send(&page, "device_user_code", &[("device_user_code", &prompt.user_code)]).await?;
    let page = log_in(&mut browser, &page, user).await?;
    let page = decide(&mut browser, &page, decision).await?;
    if page.address.path().ends_with("/device/status") { Ok(()) } else { Err(page.surprise("the end of the login")) }
}

async fn log_in(browser: &mut Browser, page: &Page, user: &User) -> Result<Page, Failure> {
    browser.send(page, "username", &[("username", &user.name), ("password", &user.password)]).await
}

async fn decide(browser: &mut Browser, page: &Page, decision: Decision) -> Result<Page, Failure> {
    let button = match decision {
        Decision::Allow => "accept",
        Decision::Deny => "cancel",
    };
    browser.send(page, button, &[(button, "x")]).await
}
