//! Requests that the facade does not have: the generated client, and any path of the service.

use documine::http::Method;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = documine_sim::connect().await?;
    let client = &service.client;

    // Every operation of the OpenAPI document, with its own names and types.
    let license = client.raw().get_license().send().await.map_err(|error| {
        // The cause is an error of this crate, with status, attempts and request id.
        documine::Error::find(&error).map_or_else(|| error.to_string(), ToString::to_string)
    })?;
    println!("{:?}", license.name);

    // Any request: same login, retries, time limits and errors as every other call.
    let body = client.request(Method::GET, "/api/license/usage?startDate=2026-01-01T00:00:00Z", None).await?;
    let usage: serde_json::Value = serde_json::from_slice(&body)?;
    println!("{usage:#}");
    Ok(())
}
