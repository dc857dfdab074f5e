import {readdir, stat} from 'node:fs/promises';
import {basename, join, relative, sep} from 'node:path';
import type {Command} from 'commander';
import {listCatalogue, listMisfits, removeFromCatalogue} from '#cli/catalogue/headend-catalogue.ts';
import {createProgressBar} from '#cli/catalogue/progress-bar.ts';
import {pushFile} from '#cli/catalogue/push-file.ts';
import {stopSignal} from '#cli/stop-signal.ts';

const defaultUrl = 'http://127.0.0.1:8080';

type Terms = {readonly priority?: string; readonly expires?: string; readonly service?: string};

export const registerCatalogueCommand = (program: Command): void => {
	const catalogue = program.command('catalogue').summary("work on a headend's catalogue over HTTP");
	withTerms(catalogue.command('add'))
		.summary('send a folder or a file')
		.argument('<path>', 'a folder, whose files become objects under its name, or one file')
		.option('--to <prefix>', 'folder of the catalogue to put it in', 'vod')
		.option('--url <url>', 'the headend', defaultUrl)
		.addHelpText('after', '\nExample:\n  $ ./streamverse catalogue add ./my-film --priority high')
		.action(addToCatalogue);
	catalogue
		.command('list')
		.summary('print what the headend offers')
		.option('--url <url>', 'the headend', defaultUrl)
		.option('--json', 'one JSON object per line')
		.action(async ({url, json}: {readonly url: string; readonly json?: boolean}) => {
			const misfits = await listMisfits(trim(url));
			for await (const object of listCatalogue(trim(url))) {
				const misfit = misfits.get(object.path);
				process.stdout.write(
					json === true
						? `${JSON.stringify({...object, ...(misfit === undefined ? {} : {doesNotFit: misfit})})}\n`
						: `${object.priority.padEnd(6)} ${String(object.sizeBytes).padStart(12)}  ${object.path}${misfit === undefined ? '' : `  (not on air: ${misfit})`}\n`,
				);
			}
			if (misfits.size > 0) {
				process.stderr.write(
					`${misfits.size} ${misfits.size === 1 ? 'object does' : 'objects do'} not fit into the carousel\n`,
				);
			}
		});
	catalogue
		.command('remove')
		.summary('take objects, or all below a folder/, out')
		.argument('<path...>', 'paths of the catalogue; one that ends in / means all below it')
		.option('--url <url>', 'the headend', defaultUrl)
		.action(async (paths: readonly string[], {url}: {readonly url: string}) => {
			for (const path of await expand(trim(url), paths)) {
				await removeFromCatalogue(trim(url), path);
				process.stdout.write(`removed ${path}\n`);
			}
		});
	withTerms(catalogue.command('push'))
		.summary('send one file to an exact address, and go on where it stopped')
		.argument('<file>', 'the file')
		.argument('<url>', 'http://<headend>/catalogue/<path>')
		.action((file: string, url: string, terms: Terms) => pushOne(file, url, terms, stopSignal()));
};

const withTerms = (command: Command): Command =>
	command
		.option('--priority <priority>', 'high, medium or low')
		.option('--expires <time>', 'RFC 3339, for example 2027-01-31T00:00:00Z')
		.option('--service <id>', 'service or title that it belongs to');

const headersOf = ({priority, expires, service}: Terms): Record<string, string> => ({
	...(priority === undefined ? {} : {'Streamverse-Priority': priority}),
	...(expires === undefined ? {} : {'Streamverse-Expires': expires}),
	...(service === undefined ? {} : {'Streamverse-Service': service}),
});

const trim = (url: string): string => url.replace(/\/+$/u, '');
const encodePath = (segments: readonly string[]): string => segments.map((part) => encodeURIComponent(part)).join('/');

const addToCatalogue = async (
	path: string,
	options: Terms & {readonly url: string; readonly to: string},
): Promise<void> => {
	const signal = stopSignal();
	const base = `${trim(options.url)}/catalogue/`;
	const prefix = options.to.split('/').filter((part) => part !== '');
	for (const {filePath, segments} of await filesOf(path)) {
		await pushOne(filePath, base + encodePath([...prefix, ...segments]), options, signal);
	}
};

/** Manifests come last, so that nobody is offered a title whose segments are still on their way. */
const filesOf = async (path: string): Promise<{readonly filePath: string; readonly segments: readonly string[]}[]> => {
	if (!(await stat(path)).isDirectory()) {
		return [{filePath: path, segments: [basename(path)]}];
	}
	const root = basename(join(path, '.'));
	const found = await readdir(path, {recursive: true, withFileTypes: true});
	return found
		.filter((file) => file.isFile() && !file.name.startsWith('.'))
		.map((file) => join(file.parentPath, file.name))
		.sort((a, b) => Number(isManifest(a)) - Number(isManifest(b)) || (a < b ? -1 : 1))
		.map((filePath) => ({filePath, segments: [root, ...relative(path, filePath).split(sep)]}));
};

const isManifest = (filePath: string): boolean => /\.(m3u8|mpd)$/u.test(filePath);

const pushOne = async (filePath: string, url: string, terms: Terms, signal: AbortSignal): Promise<void> => {
	const bar = createProgressBar(basename(filePath));
	const answer = await pushFile({filePath, url, headers: headersOf(terms), signal, onProgress: bar.update});
	const fits = answer.plan?.fits === false ? `; it does not fit into the carousel: ${answer.plan.reason ?? ''}` : '';
	bar.end(`${answer.kind ?? 'sent'}${fits}`);
};

const expand = async (url: string, paths: readonly string[]): Promise<string[]> => {
	const expanded: string[] = [];
	for (const path of paths) {
		if (!path.endsWith('/')) {
			expanded.push(path);
			continue;
		}
		for await (const object of listCatalogue(url)) {
			if (object.path.startsWith(path)) {
				expanded.push(object.path);
			}
		}
	}
	return expanded;
};
