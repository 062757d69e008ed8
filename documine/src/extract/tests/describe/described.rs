// Guessed by documine::extract::describe from the components of 1 file. Check the types.
#[derive(Debug, serde::Deserialize)]
pub struct AcuteStudy2024 {
    #[serde(rename = "StudyTitle")]
    pub study_title: String,
    #[serde(rename = "study-title")]
    pub study_title_2: String,
    #[serde(rename = "GLPCompliance")]
    pub glp_compliance: bool,
    #[serde(rename = "Animals")]
    pub animals: i64,
    #[serde(rename = "Postal Code")]
    pub postal_code: String,
    // A date: chrono::NaiveDate, jiff::civil::Date or time::Date.
    #[serde(rename = "2nd date")]
    pub _2nd_date: String,
    // A number: f64, or another number type with documine::extract::with::number_strict.
    #[serde(rename = "Größe")]
    pub größe: String,
    #[serde(rename = "type")]
    pub type_: String,
    #[serde(rename = "Batches")]
    pub batches: Vec<i64>,
    // Without a value.
    #[serde(rename = "Odd \"quotes\"")]
    pub odd_quotes: Option<String>,
    #[serde(rename = "<>")]
    pub component: String,
}
