//! What a file to be checked is: sender, contract and id from its name where it is called as in a spool or a scenario, else
//! from what stands in it.

use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::app::name_parts;
use crate::contract::{Contract, Direction};
use crate::domain::{ContractRef, Login, OrganisationNumber, Syntax, Trace};
use crate::intake::MAX_BYTES;
use crate::journey::{Arrival, ContractSet};
use crate::spool::Dropped;

/// Reads a file as the message that it would be.
///
/// # Errors
/// Words that say what the name or the content would have to tell.
pub(super) fn arrival(path: &Path, instant: Timestamp, set: &ContractSet) -> Result<Arrival, String> {
    let mut bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // One byte too many is enough to be refused for it.
    bytes.truncate(MAX_BYTES + 1);
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some((login, contract, message_id, syntax)) = name_parts(&name) {
        return Ok(Arrival {
            login,
            message_id,
            contract,
            syntax,
            message_time: instant,
            bytes,
            trace: Trace::default(),
            defect: None,
        });
    }
    let folder = path.parent().and_then(Path::file_name).map(|folder| folder.to_string_lossy().into_owned());
    let login =
        folder.and_then(|folder| Login::try_from(folder).ok()).filter(|login| set.catalogue.parties().sender(login).is_some());
    if let (Some(login), Some(dropped)) = (login, Dropped::read(&name)) {
        let Dropped { contract, message_id, syntax } = dropped;
        return Ok(Arrival {
            login,
            message_id,
            contract,
            syntax,
            message_time: instant,
            bytes,
            trace: Trace::default(),
            defect: None,
        });
    }
    let Some(syntax) = name.rsplit_once('.').and_then(|(_, extension)| extension.parse().ok()) else {
        return Err(format!("{name}: a message file ends in .json or .xml"));
    };
    let (contract, login) = from_content(&bytes, syntax, set).ok_or_else(|| {
        format!(
            "{name}: neither name nor content tells contract and sender; call it NN.<login>.<contract>.<uuid>.{}",
            syntax.as_str()
        )
    })?;
    Ok(Arrival {
        login,
        message_id: Uuid::now_v7(),
        contract,
        syntax,
        message_time: instant,
        bytes,
        trace: Trace::default(),
        defect: None,
    })
}

/// Guesses contract and sender of a file that comes without an envelope. A wrong guess only makes a wrong dry run.
fn from_content(bytes: &[u8], syntax: Syntax, set: &ContractSet) -> Option<(ContractRef, Login)> {
    let text = String::from_utf8_lossy(bytes);
    let incoming = || set.catalogue.contracts().filter(|contract| contract.direction() == Direction::In);
    let contract = match syntax {
        Syntax::Xml => incoming().find(|contract| text.contains(&contract.outline().namespace))?,
        Syntax::Json => {
            let tree: Value = serde_json::from_str(&text).ok()?;
            let known = |contract: &Contract| {
                let fields = &contract.outline().shape.fields;
                fields.iter().filter(|field| tree.get(&field.name).is_some()).count()
            };
            incoming().max_by_key(|contract| known(contract))?
        }
    };
    let number = organisation(&text)?;
    let name = contract.outline().reference.name();
    let senders = set.catalogue.parties().senders();
    let sender =
        senders.iter().find(|sender| sender.kommun.organisation == number && sender.sends.iter().any(|sends| sends == name))?;
    Some((contract.outline().reference.clone(), sender.login.clone()))
}

/// The first value of an `organisation` field or element that is an organisation number.
fn organisation(text: &str) -> Option<OrganisationNumber> {
    text.match_indices("organisation").find_map(|(at, _)| {
        let rest = text.get(at..)?;
        let start = rest.find(|c: char| c.is_ascii_digit())?;
        let digits = rest.get(start..)?;
        let end = digits.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(digits.len());
        digits.get(..end)?.parse().ok()
    })
}
