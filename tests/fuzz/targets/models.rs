//! Models: any bytes are decoded or rejected, and a decoded model is encoded to an equal one.
#![no_main]

use documine_api::types;
use libfuzzer_sys::fuzz_target;

macro_rules! read {
    ($bytes:ident, $($model:ident)*) => {
        $(
            if let Ok(read) = serde_json::from_slice::<types::$model>($bytes) {
                let written = serde_json::to_value(&read).expect("a model is written");
                let again: types::$model = serde_json::from_value(written).expect("what was written is read");
                assert_eq!(again, read);
            }
        )*
    };
}

fuzz_target!(|bytes: &[u8]| {
    read!(bytes, Dossier DossierList DossierTemplateList DownloadList DownloadReference FileComponents FileList FileUploadResult
        DossierComponents License LicenseUsage UserList ErrorMessage);
});
