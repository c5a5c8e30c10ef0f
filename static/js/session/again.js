/* A session that ended: whether the same person is signed in again. */

/* Resolves to that; the keeper and the forms then have the new session's token. */
export async function signedInAgain(keeper) {
  try {
    const asked = { headers: { "HX-Request": "true" }, redirect: "manual" };
    const answer = await fetch(keeper.form.dataset.state, asked);
    if (answer.status !== 200) return false;
    const { me, token } = await answer.json();
    if (me !== keeper.me) return false;
    keeper.token = token;
    for (const one of document.querySelectorAll("[name=csrfmiddlewaretoken]")) one.value = token;
    document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": token }));
    return true;
  } catch { return false; }
}
