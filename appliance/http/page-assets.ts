import {createHash} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import {stripTypeScriptTypes} from 'node:module';
import {dirname, extname, join, relative, sep} from 'node:path';
import {promisify} from 'node:util';
import {gzip} from 'node:zlib';
import type {Context, Middleware} from 'koa';
import {hasCode} from '#appliance/error/coded-error.ts';
import {projectRoot} from '#native/project-root.ts';

const compress = promisify(gzip);

/** Addresses below the prefix are paths from here, so that a page's relative imports mean the same to tsc and browser. */
const projectDirectory = projectRoot;

/** Browser code that every page may import. */
const sharedDirectory = 'appliance/page';

/** The only modules of packages that a page may import, or that those do, and where they lie. */
export const npmFiles: Readonly<Record<string, string>> = {
	'hls.js': 'hls.js/dist/hls.min.mjs',
	'qr/decode.js': 'qr/decode.js',
	'qr/index.js': 'qr/index.js',
};
const npmDirectory = 'npm/';

const types: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.ts': 'text/javascript; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.mjs': 'text/javascript; charset=utf-8',
	'.svg': 'image/svg+xml',
};

/** No dot segment, hidden file or upper case can match, which leaves nothing to normalise. */
const safePath = /^(?:[a-z0-9-]+\/)*[a-z0-9-]+(?:\.[a-z0-9-]+)+$/u;

/** Below this many bytes a compressed answer saves nothing. */
const compressBytesMin = 1024;

/**
 * Nothing but our own files runs, and Trusted Types make the browser refuse any string that becomes markup or script.
 * `blob:` is what Media Source playback needs.
 */
const securityHeaders: Readonly<Record<string, string>> = {
	'Content-Security-Policy': [
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"media-src 'self' blob:",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'none'",
		"frame-ancestors 'none'",
		"require-trusted-types-for 'script'",
		"trusted-types 'none'",
	].join('; '),
	'X-Content-Type-Options': 'nosniff',
	'Referrer-Policy': 'no-referrer',
	'Cache-Control': 'no-cache',
	Vary: 'Accept-Encoding',
};

type Asset = {
	readonly version: string;
	readonly contentType: string;
	readonly entityTag: string;
	readonly plain: Buffer;
	readonly compressed: Buffer | undefined;
};

export type PageAssetsOptions = {
	/** A folder of this project that holds index.html, css, svg and browser TypeScript. */
	readonly directory: string;
	/** Where assets are addressed, with a slash at both ends: `<prefix><path from the project's root>`. */
	readonly prefix: string;
	/** Where index.html is answered. Default `/`. */
	readonly indexPath?: string;
};

/**
 * Serves a page without a build step: TypeScript is stripped to JavaScript on first use and kept until the file
 * changes. Requests for anything else are passed on.
 */
export const pageAssets = ({directory, prefix, indexPath = '/'}: PageAssetsOptions): Middleware => {
	const pageDirectory = relative(projectDirectory, directory).split(sep).join('/');
	const cache = new Map<string, Asset>();

	const locate = (path: string): string | undefined => {
		if (path === indexPath) {
			return join(projectDirectory, pageDirectory, 'index.html');
		}
		const name = path.startsWith(prefix) ? path.slice(prefix.length) : undefined;
		if (name === undefined || !safePath.test(name)) {
			return undefined;
		}
		if (name.startsWith(npmDirectory)) {
			const file = npmFiles[name.slice(npmDirectory.length)];
			return file === undefined ? undefined : join(projectDirectory, 'node_modules', file);
		}
		const known = [pageDirectory, sharedDirectory].includes(dirname(name)) && types[extname(name)] !== undefined;
		return known ? join(projectDirectory, name) : undefined;
	};

	const load = async (file: string): Promise<Asset | undefined> => {
		try {
			const {mtimeMs, size} = await stat(file);
			const version = `${mtimeMs} ${size}`;
			const kept = cache.get(file);
			if (kept?.version === version) {
				return kept;
			}
			const asset = await makeAsset(file, {version, prefix});
			cache.set(file, asset);
			return asset;
		} catch (error) {
			if (hasCode(error, 'ENOENT', 'ENOTDIR')) {
				return undefined;
			}
			throw error;
		}
	};

	return async (context, next) => {
		const reading = context.method === 'GET' || context.method === 'HEAD';
		const file = reading ? locate(context.path) : undefined;
		const asset = file === undefined ? undefined : await load(file);
		if (asset === undefined) {
			await next();
			return;
		}
		answer(context, asset);
	};
};

const makeAsset = async (
	file: string,
	{version, prefix}: {readonly version: string; readonly prefix: string},
): Promise<Asset> => {
	const bytes = await readFile(file);
	const plain = extname(file) === '.ts' ? Buffer.from(toJavaScript(bytes.toString(), prefix)) : bytes;
	return {
		version,
		contentType: types[extname(file)] ?? 'application/octet-stream',
		entityTag: createHash('sha256').update(plain).digest('hex').slice(0, 32),
		plain,
		compressed: plain.byteLength < compressBytesMin ? undefined : await compress(plain),
	};
};

/** A browser knows no package names, so those that are allowed become addresses. */
const toJavaScript = (source: string, prefix: string): string =>
	stripTypeScriptTypes(source).replace(
		/(\bfrom\s*|\bimport\s*\(\s*)'([^'./][^']*)'/gu,
		(whole: string, keyword: string, name: string) =>
			npmFiles[name] === undefined ? whole : `${keyword}'${prefix}${npmDirectory}${name}'`,
	);

const answer = (context: Context, asset: Asset): void => {
	const compressed = context.acceptsEncodings('gzip', 'identity') === 'gzip' ? asset.compressed : undefined;
	context.set(securityHeaders);
	context.status = 200;
	// The two encodings are two representations, so their strong tags differ (RFC 9110 section 8.8.3).
	context.etag = compressed === undefined ? asset.entityTag : `${asset.entityTag}-gzip`;
	if (context.fresh) {
		context.status = 304;
		return;
	}
	if (compressed !== undefined) {
		context.set('Content-Encoding', 'gzip');
	}
	context.set('Content-Type', asset.contentType);
	context.body = compressed ?? asset.plain;
};
