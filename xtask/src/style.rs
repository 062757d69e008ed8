//! `cargo xtask style`: measures the prose of all Rust and Markdown files that git tracks.
//!
//! Two rules are enforced. At most 2 % of the doc blocks (`///`, `//!`) may open with a question clause, because a reader expects a verb or a noun
//! phrase there. The listed words must not occur in doc comments, comments, prose literals (error texts) and Markdown, because the field has a standard
//! word for each of them. Code fences and `inline code` are skipped.

use std::path::Path;
use std::process::{Command, ExitCode};

/// Question clauses, and passive openers that hide the subject. An underscore stands for a blank.
const OPENERS: [&str; 13] = [
    "What",
    "Whether",
    "How",
    "Where",
    "Who",
    "Whose",
    "Whom",
    "Why",
    "When",
    "Which",
    "Is_told",
    "Are_told",
    "Comes_back",
];

/// Words and phrases with a standard equivalent. An underscore stands for a blank, so that this list is not a finding itself.
const WORDS: [&str; 40] = [
    "look",
    "looks",
    "looked",
    "looking",
    "ask",
    "asks",
    "asked",
    "asking",
    "trouble",
    "troubles",
    "tell",
    "tells",
    "told",
    "goes_on",
    "go_on",
    "went_on",
    "gone_on",
    "somebody",
    "nobody",
    "whoever",
    "whatever",
    "the_other_one",
    "news",
    "seat",
    "seats",
    "board",
    "boards",
    "trip",
    "trips",
    "verdict",
    "verdicts",
    "walk",
    "walks",
    "walked",
    "anew",
    "could_be_had",
    "can_be_had",
    "broke_off",
    "breaks_off",
    "for_ever",
];

/// Places where a listed word is right: the file, the word, the reason.
const EXCEPTIONS: [(&str, &str, &str); 0] = [];

/// Highest share of doc blocks that open with a question clause, in percent.
const OPENER_LIMIT: f64 = 2.0;

/// A literal with this many blanks is prose.
const PROSE_BLANKS: usize = 2;

/// Options of `style`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Files and folders to measure; the whole tree by default.
    paths: Vec<String>,
}

/// Kind of a piece of text in a source file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// One line of `///` or `//!`, with the marker's last character.
    Doc(char),
    Comment,
    Literal,
}

/// A piece of text and the line where it begins.
struct Piece {
    kind: Kind,
    line: usize,
    text: String,
}

/// Counts and findings of one or more files.
#[derive(Default)]
struct Measure {
    blocks: usize,
    openers: usize,
    words: usize,
    findings: Vec<String>,
}

/// Measures the files, prints each finding and a summary.
pub(crate) fn run(args: &Args) -> ExitCode {
    let measure = match measure_files(args) {
        Ok(measure) => measure,
        Err(reason) => {
            eprintln!("style: {reason}");
            return ExitCode::from(2);
        }
    };
    for finding in &measure.findings {
        println!("{finding}");
    }
    let Measure { blocks, openers, words, .. } = measure;
    let share = measure.opener_share();
    println!(
        "{openers} of {blocks} doc blocks open with a question clause ({share:.1} %, limit {OPENER_LIMIT} %); {words} listed words (limit 0)"
    );
    if share > OPENER_LIMIT || words > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn measure_files(args: &Args) -> Result<Measure, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let list = Command::new("git")
        .current_dir(&root)
        .args(["ls-files", "-z", "--error-unmatch", "--"])
        .args(&args.paths)
        .output();
    let list = list.map_err(|error| format!("list tracked files: start git: {error}"))?;
    if !list.status.success() {
        return Err(format!("list tracked files: {}", String::from_utf8_lossy(&list.stderr).trim_end()));
    }
    let mut measure = Measure::default();
    for file in String::from_utf8_lossy(&list.stdout).split('\0') {
        let path = root.join(file);
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("rs" | "md")) || path.is_symlink() || !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(&path).map_err(|error| format!("read {file}: {error}"))?;
        if extension == Some("rs") { measure.rust(file, &text) } else { measure.markdown(file, &text) }
    }
    if measure.blocks == 0 { Err("no Rust or Markdown file with text is tracked".into()) } else { Ok(measure) }
}

impl Measure {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn opener_share(&self) -> f64 {
        100.0 * self.openers as f64 / self.blocks.max(1) as f64
    }

    fn rust(&mut self, file: &str, source: &str) {
        let mut previous: Option<(Kind, usize)> = None;
        let mut in_code = false;
        for Piece { kind, line, text } in pieces(source) {
            if let Kind::Doc(_) = kind {
                let continues = previous == Some((kind, line - 1));
                previous = Some((kind, line));
                if !continues {
                    self.blocks += 1;
                    in_code = false;
                    self.opener(file, line, &text);
                }
                if text.trim_start().starts_with("```") {
                    in_code = !in_code;
                    continue;
                }
                if in_code {
                    continue;
                }
            } else if kind == Kind::Literal && text.matches(' ').count() < PROSE_BLANKS {
                continue;
            }
            self.prose(file, line, &text);
        }
    }

    fn markdown(&mut self, file: &str, source: &str) {
        let mut in_code = false;
        for (index, line) in source.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_code = !in_code;
            } else if !in_code {
                self.prose(file, index + 1, line);
            }
        }
    }

    fn opener(&mut self, file: &str, line: usize, text: &str) {
        let opener = OPENERS.iter().map(|opener| opener.replace('_', " ")).find(|opener| {
            text.strip_prefix(opener.as_str())
                .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
        });
        if let Some(opener) = opener {
            self.openers += 1;
            self.findings.push(format!("{file}:{line}: doc block opens with \"{opener}\": {text}"));
        }
    }

    fn prose(&mut self, file: &str, line: usize, text: &str) {
        for (offset, word) in listed_words(text) {
            if EXCEPTIONS.iter().any(|(place, allowed, _)| *place == file && *allowed == word) {
                continue;
            }
            self.words += 1;
            let line = line + text[..offset].matches('\n').count();
            self.findings.push(format!("{file}:{line}: \"{word}\""));
        }
    }
}

/// Finds the listed words in a text, each with its offset.
fn listed_words(text: &str) -> Vec<(usize, String)> {
    let prose = without_code(text).to_ascii_lowercase();
    let mut tokens: Vec<(usize, &str)> = Vec::new();
    let mut start = None;
    for (offset, character) in prose.char_indices().chain([(prose.len(), ' ')]) {
        match (start, character.is_alphanumeric() || character == '_') {
            (None, true) => start = Some(offset),
            (Some(begin), false) => {
                tokens.push((begin, &prose[begin..offset]));
                start = None;
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (index, (offset, token)) in tokens.iter().enumerate() {
        // "round trip" is the field's term.
        if token.starts_with("trip") && index > 0 && tokens[index - 1].1 == "round" {
            continue;
        }
        let rest = &tokens[index..];
        let word = WORDS.iter().find(|word| {
            let parts: Vec<&str> = word.split('_').collect();
            rest.len() >= parts.len()
                && rest.iter().zip(&parts).all(|((_, token), part)| token == part)
                && rest[..parts.len()]
                    .windows(2)
                    .all(|pair| prose[pair[0].0 + pair[0].1.len()..pair[1].0].trim().is_empty())
        });
        if let Some(word) = word {
            found.push((*offset, word.replace('_', " ")));
        }
    }
    found
}

/// Replaces `inline code` and the `{placeholders}` of format strings with as many blanks as they have bytes.
fn without_code(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['`', '{']) {
        let close = if rest[start..].starts_with('`') { '`' } else { '}' };
        let end = rest[start + 1..].find(close).map(|length| start + 1 + length);
        let end = end.filter(|end| close == '`' || !rest[start..*end].contains(char::is_whitespace)).unwrap_or(start);
        plain.push_str(&rest[..start]);
        plain.extend(rest.bytes().take(end + 1).skip(start).map(|byte| if byte == b'\n' { '\n' } else { ' ' }));
        rest = &rest[end + 1..];
    }
    plain.push_str(rest);
    plain
}

/// Splits a Rust source into its comments and string literals.
fn pieces(source: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let (length, kind, text) = piece(rest, first);
        if let Some(kind) = kind {
            pieces.push(Piece { kind, line, text });
        }
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    pieces
}

/// Measures what begins here: its length and, for a comment or a literal, its kind and text.
fn piece(rest: &str, first: char) -> (usize, Option<Kind>, String) {
    if rest.starts_with("//") {
        let length = rest.find('\n').unwrap_or(rest.len());
        let kind = match rest[2..length].chars().next() {
            Some('!') => Kind::Doc('!'),
            Some('/') if !rest.starts_with("////") => Kind::Doc('/'),
            _ => Kind::Comment,
        };
        let text = rest[..length].trim_start_matches(['/', '!']).trim();
        return (length, Some(kind), text.to_owned());
    }
    if rest.starts_with("/*") {
        let length = block_comment(rest);
        return (length, Some(Kind::Comment), rest[..length].to_owned());
    }
    if first.is_alphabetic() || first == '_' {
        let word = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
        if matches!(&rest[..word], "r" | "br" | "cr") {
            let hashes = rest[word..].chars().take_while(|next| *next == '#').count();
            if let Some(body) = rest[word + hashes..].strip_prefix('"') {
                let end = format!("\"{}", "#".repeat(hashes));
                let inner = body.find(&end).unwrap_or(body.len());
                let length = (word + hashes + 1 + inner + end.len()).min(rest.len());
                return (length, Some(Kind::Literal), body[..inner].to_owned());
            }
        }
        return (word, None, String::new());
    }
    match first {
        '"' => literal(rest),
        '\'' => (character(rest), None, String::new()),
        _ => (first.len_utf8(), None, String::new()),
    }
}

/// Returns the length of a block comment, which may hold others.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut position = 0;
    while position < rest.len() {
        if rest[position..].starts_with("/*") {
            depth += 1;
            position += 2;
        } else if rest[position..].starts_with("*/") {
            depth -= 1;
            position += 2;
        } else {
            position += rest[position..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    position
}

/// Reads a string literal. Escapes become blanks, so that no letter of an escape joins a word.
fn literal(rest: &str) -> (usize, Option<Kind>, String) {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((offset, next)) = characters.next() {
        match next {
            '"' => return (offset + 1, Some(Kind::Literal), text),
            '\\' => match characters.next() {
                // A continued line: the indentation of the next one is no prose.
                Some((_, '\n')) => text.push('\n'),
                _ => text.push('\t'),
            },
            _ => text.push(next),
        }
    }
    (rest.len(), Some(Kind::Literal), text)
}

/// Returns the length of a character literal, or of the quote of a lifetime.
fn character(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((escaped, next))) => {
            let behind = escaped + next.len_utf8();
            rest[behind..].find('\'').map_or(1, |length| behind + length + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Measures an example in which `·` stands for a blank, so that the examples are no prose literals of this file.
    fn measured(example: &str) -> Measure {
        let mut measure = Measure::default();
        measure.rust("a.rs", &example.replace('·', " "));
        measure
    }

    #[test]
    fn counts_doc_blocks_that_open_with_a_question_clause() {
        let measure = measured(
            "//!·What·this·is.\n\n///·Whether·it·is.\n///·How·it·is.\nfn·a(){}\n///·Returns·it.\nfn·b(){}\n///·Whatsoever.\n",
        );
        assert_eq!((measure.openers, measure.blocks), (2, 4));
        assert_eq!(measure.findings[1], "a.rs:3: doc block opens with \"Whether\": Whether·it·is.".replace('·', " "));
        assert!(measure.opener_share() > OPENER_LIMIT);
        assert!(measured("///·Returns·it.\n").opener_share() <= OPENER_LIMIT);
    }

    #[test]
    fn skips_code_in_docs_and_in_backticks() {
        assert_eq!(
            measured("///·Runs.\n///\n///·```\n///·asked·nobody\n///·```\n///·Uses·`told()`.\n//·`look`\n").words,
            0
        );
        assert_eq!(measured("///·```\n///·a\n///·```\n///·nobody·knows\n").words, 1);
    }

    #[test]
    fn finds_words_in_docs_comments_and_prose_literals() {
        let measure = measured(
            "///·Asked·once.\nlet·a·=·1;·//·no·trouble\n/*·a\n·nobody·*/\nlet·b·=·\"it\\nlooks·like·that\";\nlet·c·=·\"told\";\n",
        );
        let lines = ["a.rs:1: \"asked\"", "a.rs:2: \"trouble\"", "a.rs:4: \"nobody\"", "a.rs:5: \"looks\""];
        assert_eq!(measure.findings, lines);
        assert_eq!(measured("let·a·=·r#\"one·\"two·told\"#;·//·seat\n").words, 2);
        assert_eq!(
            measured("bail!(\"two·{told}·of·them·\\\n··goes·on\")").findings,
            ["a.rs:2:·\"goes on\"".replace('·', " ")]
        );
    }

    #[test]
    fn takes_identifiers_characters_and_lifetimes_for_code() {
        assert_eq!(
            measured("fn·told<'a>(asked:·&'a·str)·{·f('\"',·'\\'',·b'\"',·'\\u{22}');·look_for(asked)·}").words,
            0
        );
        assert_eq!(measured("f('\"');·//·told\n").words, 1);
    }

    #[test]
    fn knows_phrases_and_round_trips() {
        let words =
            |text: &str| listed_words(&text.replace('·', " ")).into_iter().map(|(_, word)| word).collect::<Vec<_>>();
        assert_eq!(words("It·goes·on·with·the·other·one."), ["goes on".to_owned(), "the·other·one".replace('·', " ")]);
        assert_eq!(words("one·round·trip,·two·round-trips,·dashboards,·walker"), [""; 0]);
        assert_eq!(words("a·trip"), ["trip"]);
        assert_eq!(words("it·goes;·on·error"), [""; 0]);
    }

    #[test]
    fn reads_markdown_outside_code() {
        let mut measure = Measure::default();
        measure.markdown("a.md", &"#·What\n\n```\nasked\n```\nasked·`told`\n".replace('·', " "));
        assert_eq!((measure.blocks, measure.findings.as_slice()), (0, &[String::from("a.md:6: \"asked\"")][..]));
    }
}
