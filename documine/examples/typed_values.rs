//! Reads components into a type of your own, with the origin of each value.

use documine::extract::{self, Sourced, with};
use documine::{DossierFields, Source};
use rust_decimal::Decimal;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Invoice {
    /// A plain field: only the value.
    #[serde(rename = "InvoiceNumber")]
    number: String,
    /// The value with its raw text, its page and the rule that found it. `Decimal` alone would reject `1.234,50`; `with::number` reads it.
    #[serde(deserialize_with = "with::number")]
    total_amount: Sourced<Decimal>,
    #[serde(rename = "InvoiceDate")]
    date: Option<Sourced<chrono::NaiveDate>>,
    currency: Option<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let service = documine_sim::connect().await?;
    let dossier = service.template().create_dossier(DossierFields::named("Typed values example")).await?;
    let source = Source::bytes(
        "invoice.pdf",
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples/invoice.pdf"))[..],
    );
    let file = dossier.upload(source).await?.wait_until_processed().await?;

    // Without `include_details`, `page` and `rule` are `None`.
    let components = file.components().include_details(true).await?;
    // Every problem at once, where `extract` returns the first.
    println!("{}", components.check::<Invoice>());
    let invoice: Invoice = components.extract()?;
    println!("{}: {} {}", invoice.number, invoice.total_amount.value, invoice.currency.unwrap_or_default());
    println!(
        "  from {:?} on page {:?} by {:?}",
        invoice.total_amount.raw, invoice.total_amount.page, invoice.total_amount.rule
    );
    println!("  dated {:?}", invoice.date.map(|date| date.value));

    // A starting point for a struct of your own. With several files, a component that one of them lacks becomes an `Option`.
    println!("{}", extract::describe(&dossier.components().await?));
    dossier.delete().permanently(true).await?;
    Ok(())
}
