// The pages for users. Ids and names of forms and fields equal those of Keycloak's default pages, so one driver works on both.

const escapes = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text) {
  return String(text).replace(/[&<>"']/g, (letter) => escapes[letter]);
}

const yes = '<input id="kc-login" name="accept" type="submit" value="Yes">';

function withButtons(form, buttons) {
  return form.replace("</form>", `${buttons}</form>`);
}

function page(title, content) {
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title><link rel="icon" href="data:,"></head>
<body><h1 id="kc-page-title">${escaped(title)}</h1>
${content}
</body></html>
`;
}

/** The login form, posted to `action`. */
export function login(action, error) {
  return page(
    "Sign in to your account",
    `${error ? `<p id="input-error">${escaped(error)}</p>` : ""}
<form id="kc-form-login" method="post" action="${escaped(action)}">
<label for="username">User name or e-mail</label><input id="username" name="username" type="text" autofocus>
<label for="password">Password</label><input id="password" name="password" type="password">
<input id="kc-login" type="submit" value="Sign In"></form>`,
  );
}

/** The consent page. Always shown after a login, because any program can act as a native client (RFC 8252 section 8.6). */
export function consent(action, client) {
  return page(
    "Grant access",
    `<p>Grant access to ${escaped(client)}?</p>
<form method="post" action="${escaped(action)}">
${yes}<input id="kc-cancel" name="cancel" type="submit" value="No"></form>`,
  );
}

/** The device pages. `form` is the provider's own form, to which the buttons are added. */
export const device = {
  async userCodeInputSource(ctx, form, out, error) {
    const refused = error?.name === "AbortedError" || out?.error === "access_denied";
    const wrong = error ? '<p id="input-error">Invalid code, please try again.</p>' : "";
    ctx.body = refused
      ? page("Device Login Failed", "<p>Consent denied for connecting the device.</p>")
      : page("Device Login", wrong + withButtons(form, '<input type="submit" value="Submit">'));
  },

  async userCodeConfirmSource(ctx, form, client, _device, code) {
    ctx.body = page(
      "Grant access",
      `<p>Grant access to ${escaped(client.clientName)}, which shows <code>${escaped(code)}</code>?</p>
${withButtons(form, `${yes}<input id="kc-cancel" name="abort" type="submit" value="No">`)}`,
    );
  },

  async successSource(ctx) {
    ctx.body = page("Device Login Successful", "<p>You may close this browser window and go back to your device.</p>");
  },
};

export async function renderError(ctx, out) {
  ctx.type = "html";
  ctx.body = page("We are sorry...", `<p id="kc-error-message">${escaped(out.error_description ?? out.error)}</p>`);
}

export function loggedOut() {
  return page("You are logged out", "<p>You are logged out.</p>");
}

export function logOut(form) {
  return page(
    "Logging out",
    `<p>Do you want to log out?</p>
${withButtons(form, '<button id="kc-logout" type="submit" name="logout" value="yes">Logout</button>')}`,
  );
}
