// What the scripts that drive a Node client share: where OrderHub is, the installed packages, and a line of JSON a step.
const { createRequire } = require('node:module');

const { BASE_URL, API_KEY, API_SECRET, CLIENTS } = process.env;
const given = JSON.parse(process.env.GIVEN);

async function step(name, does) {
  try {
    const result = await does();
    console.log(JSON.stringify({ step: name, ok: true, result: result === undefined ? null : result }));
    return result;
  } catch (error) {
    const answer = error.response ? ` ${JSON.stringify(error.response.data)}` : '';
    console.log(JSON.stringify({ step: name, ok: false, error: `${error}${answer}`.slice(0, 600) }));
    return null;
  }
}

module.exports = { BASE_URL, API_KEY, API_SECRET, given, step, packages: createRequire(`${CLIENTS}/`) };
