//! The predefined CMaps of East Asian fonts (ISO 32000-1, table 118) whose character set a library decodes.

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, SHIFT_JIS, UTF_8, UTF_16BE};

/// A character set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Charset {
    Library(&'static Encoding),
    /// JIS X 0208 in seven bits: EUC-JP without the high bits.
    Jis,
    Utf32,
}

impl Charset {
    /// Returns the character set of a predefined CMap.
    pub(super) fn from_cmap(cmap: &str) -> Option<Self> {
        let name = cmap.strip_suffix("-H").or_else(|| cmap.strip_suffix("-V")).unwrap_or(cmap);
        let has = |part: &str| name.contains(part);
        let encoding = match name {
            "H" | "V" => return Some(Self::Jis),
            _ if name.starts_with("Uni") && has("UTF32") => return Some(Self::Utf32),
            _ if name.starts_with("Uni") && has("UTF8") => UTF_8,
            _ if name.starts_with("Uni") && (has("UCS2") || has("UTF16")) => UTF_16BE,
            _ if has("RKSJ") => SHIFT_JIS,
            _ if name.starts_with("KSC") => EUC_KR,
            _ if name.starts_with("GB") => GB18030,
            "EUC" => EUC_JP,
            "B5pc" | "ETen-B5" | "ETenms-B5" | "HKscs-B5" => BIG5,
            _ => return None,
        };
        Some(Self::Library(encoding))
    }

    pub(super) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Library(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Self::Jis => {
                let high: Vec<u8> = bytes.iter().map(|byte| byte | 0x80).collect();
                EUC_JP.decode_without_bom_handling(&high).0.into_owned()
            }
            Self::Utf32 => {
                let codes = bytes.chunks_exact(4).map(|code| u32::from_be_bytes([code[0], code[1], code[2], code[3]]));
                codes.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_predefined_cmaps() {
        for (cmap, bytes, text) in [
            ("UniGB-UCS2-H", &b"\x4e\x2d\x00A"[..], "中A"),
            ("UniGB-UTF16-V", b"\x4e\x2d", "中"),
            ("UniCNS-UTF16-H", b"\xd8\x40\xdc\x0b", "𠀋"),
            ("UniJIS-UCS2-HW-H", b"\x65\xe5", "日"),
            ("UniJIS2004-UTF16-H", b"\x65\xe5", "日"),
            ("UniJIS-UTF8-H", "日".as_bytes(), "日"),
            ("UniKS-UTF32-H", b"\x00\x00\xac\x00", "가"),
            ("90ms-RKSJ-H", b"\x93\xfaA\xb1", "日Aｱ"),
            ("83pv-RKSJ-H", b"\x93\xfa", "日"),
            ("EUC-H", b"\xc6\xfc", "日"),
            ("H", b"\x46\x7c", "日"),
            ("GBK-EUC-H", b"\xd6\xd0A", "中A"),
            ("GBKp-EUC-V", b"\xd6\xd0", "中"),
            ("GBK2K-H", b"\xd6\xd0", "中"),
            ("GBpc-EUC-H", b"\xd6\xd0", "中"),
            ("ETen-B5-H", b"\xa4\xa4", "中"),
            ("B5pc-H", b"\xa4\xa4", "中"),
            ("KSCms-UHC-H", b"\xb0\xa1", "가"),
            ("KSCms-UHC-HW-H", b"\xb0\xa1", "가"),
            ("KSC-EUC-V", b"\xb0\xa1", "가"),
        ] {
            assert_eq!(Charset::from_cmap(cmap).map(|charset| charset.decode(bytes)).as_deref(), Some(text), "{cmap}");
        }
        for cmap in ["Identity-H", "CNS-EUC-H", "Adobe-Japan1-UCS2", "WinAnsiEncoding", ""] {
            assert_eq!(Charset::from_cmap(cmap), None, "{cmap}");
        }
    }
}
