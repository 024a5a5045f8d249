// Runs a Solidity compiler built for JavaScript: its file as the argument, standard JSON in and out.
"use strict";

const compiler = require(process.argv[2]);
const compile = compiler.cwrap("solidity_compile", "string", ["string", "number", "number"]);
const noCallback = 0;
process.stdout.write(compile(require("fs").readFileSync(0, "utf8"), noCallback, noCallback));
