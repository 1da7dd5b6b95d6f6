// One process of its own for one measurement: node child.mjs MODULE '{"engine": ...}'; the last line it prints is the result.
import { pathToFileURL } from 'node:url';

const { run } = await import(pathToFileURL(process.argv[2]).href);
console.log(JSON.stringify(await run(JSON.parse(process.argv[3]))));
process.exit(0); // workers of some peers would keep the process alive
