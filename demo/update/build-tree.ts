import {cp, mkdir, readFile, writeFile} from 'node:fs/promises';
import {join, relative, sep} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What runs on a box; what builds, tests and measures it stays behind. */
const folders = ['appliance', 'cli', 'demo', 'headend', 'image', 'native', 'ota', 'pop-node', 'stb'] as const;
const leftBehind = new RegExp(
	[
		'^native/(?:test|fuzz|binding|bit|[a-z]+/(?:src|test|fuzz|bench|fact|generate-tables))(?:/|$)',
		'^native/build(?:-|/(?!addons))',
		'\\.(?:cmake|cpp|hpp)$|/CMakeLists\\.txt$',
		// The NOC's page, and what Vite makes of pages.
		'^ota/console(?:/|$)|/page/dist(?:/|$)',
	].join('|'),
	'u',
);

/** The statement after the imports of a role's main file, at which something can be put before everything else. */
const mainPath = join('stb', 'main.ts');

/**
 * Copies the software of a box, as it stands in this checkout, to a folder, as a release of its own version. `plant` is
 * put at the end of the set-top's main file: how a demonstration makes a release that is bad on some boxes.
 */
export const buildTree = async (options: {
	readonly directory: string;
	readonly release: string;
	readonly plant?: string;
}): Promise<void> => {
	const {directory, release, plant} = options;
	await mkdir(directory, {recursive: true});
	for (const folder of folders) {
		await cp(join(root, folder), join(directory, folder), {
			recursive: true,
			filter: (source) => !leftBehind.test(relative(root, source).split(sep).join('/')),
		});
	}
	const text = await readFile(join(root, 'package.json'), 'utf8');
	await writeFile(join(directory, 'package.json'), text.replace(/"version": "[^"]+"/u, `"version": "${release}"`));
	if (plant !== undefined) {
		const path = join(directory, mainPath);
		await writeFile(path, `${plant}\n${await readFile(path, 'utf8')}`);
	}
};
