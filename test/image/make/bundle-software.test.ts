import {execFileSync} from 'node:child_process';
import {mkdir, readdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test from 'ava';
import {bundleProcess} from '#image/make/bundle-software.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const main = `
import http, {createServer} from 'node:http';
import {readFile} from 'fs/promises';
const isLoaded = (name) => process.moduleLoadList.some((loaded) => loaded.includes(name));
const told = {undici: isLoaded('undici'), later: globalThis.later === true};
const {text} = await import('./later.ts');
console.log(JSON.stringify({...told, text, works: [createServer === http.createServer, typeof readFile]}));
`;
const later = `
globalThis.later = true;
export const text: string = 'loaded';
`;

test('a process is bundled with what it loads later beside it, and Node’s modules cost what is used of them', async (t) => {
	const directory = await withDirectory(t);
	const [sources, software] = [path.join(directory, 'sources'), path.join(directory, 'software')];
	await mkdir(sources);
	await writeFile(path.join(sources, 'main.ts'), main);
	await writeFile(path.join(sources, 'later.ts'), later);
	await bundleProcess(path.join(sources, 'main.ts'), path.join(software, 'main.js'), {kept: [], format: 'esm'});
	await writeFile(path.join(software, 'package.json'), '{"type": "module"}');
	t.deepEqual((await readdir(software)).sort(), ['main', 'main.js', 'package.json']);
	t.true((await readdir(path.join(software, 'main'))).includes('later.js'));
	const told: unknown = JSON.parse(
		execFileSync(process.execPath, [path.join(software, 'main.js')], {encoding: 'utf8', env: {}}),
	);
	t.deepEqual(told, {undici: false, later: false, text: 'loaded', works: [true, 'function']});
});
