import {createHash} from 'node:crypto';
import {readdir, readFile} from 'node:fs/promises';
import {extname, join, relative} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {brotliCompress, constants, gzip} from 'node:zlib';
import type {Context, Middleware} from 'koa';
import {hasCode} from '#appliance/error/coded-error.ts';

const compressGzip = promisify(gzip);
const compressBrotli = promisify(brotliCompress);

/** Where the launcher has built the console (build-console.ts). */
const builtDirectory = fileURLToPath(new URL('../../../build/console', import.meta.url));

const types: Readonly<Record<string, string>> = {
	'.html': 'text/html; charset=utf-8',
	'.css': 'text/css; charset=utf-8',
	'.js': 'text/javascript; charset=utf-8',
	'.svg': 'image/svg+xml',
};

/** Nothing but our own files runs, and no style is inline: the terminal's styles are constructed sheets. */
const securityHeaders: Readonly<Record<string, string>> = {
	'Content-Security-Policy': [
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self' data:",
		"connect-src 'self'",
		"base-uri 'none'",
		"form-action 'self'",
		"frame-ancestors 'none'",
	].join('; '),
	'Cross-Origin-Opener-Policy': 'same-origin',
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
	'X-Frame-Options': 'DENY',
	Vary: 'Accept-Encoding',
};

type Asset = {
	readonly contentType: string;
	readonly entityTag: string;
	/** Its name has its digest in it: it never changes. */
	readonly immutable: boolean;
	readonly bodies: {readonly identity: Buffer; readonly gzip: Buffer; readonly br: Buffer};
};

/** The pages of the console are of these addresses; all others are for what comes after. */
const clientRoute = /^\/(?:$|(?:boxes|rollouts|releases|alerts|audit|accounts|sites|claims)(?:\/|$))/u;

const notBuilt = 'The console is not built on this machine: start the server by ./streamverse.';

/** Serves the built console: every file is read and compressed once, and each address of a page is the same index. */
export const consolePage = (directory = builtDirectory): Middleware => {
	let loaded: Promise<ReadonlyMap<string, Asset>> | undefined;
	return async (context, next) => {
		if (context.method !== 'GET' && context.method !== 'HEAD') {
			await next();
			return;
		}
		loaded ??= loadAssets(directory);
		const assets = await loaded;
		const isRoute = clientRoute.test(context.path);
		const asset = assets.get(isRoute ? '/index.html' : context.path);
		if (asset !== undefined) {
			answer(context, asset);
		} else if (isRoute) {
			context.status = 503;
			context.body = notBuilt;
			loaded = undefined;
		} else {
			await next();
		}
	};
};

const loadAssets = async (directory: string): Promise<ReadonlyMap<string, Asset>> => {
	try {
		const entries = await readdir(directory, {recursive: true, withFileTypes: true});
		const files = entries.filter((entry) => entry.isFile() && types[extname(entry.name)] !== undefined);
		return new Map(
			await Promise.all(
				files.map(async (entry) => {
					const file = join(entry.parentPath, entry.name);
					return [`/${relative(directory, file)}`, await loadAsset(file)] as const;
				}),
			),
		);
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return new Map();
		}
		throw error;
	}
};

const loadAsset = async (file: string): Promise<Asset> => {
	const identity = await readFile(file);
	const [zipped, br] = await Promise.all([
		compressGzip(identity),
		compressBrotli(identity, {params: {[constants.BROTLI_PARAM_QUALITY]: 9}}),
	]);
	return {
		contentType: types[extname(file)] ?? 'application/octet-stream',
		entityTag: createHash('sha256').update(identity).digest('hex').slice(0, 32),
		immutable: /-[\w-]{8}\.(?:js|css)$/u.test(file),
		bodies: {identity, gzip: zipped, br},
	};
};

const answer = (context: Context, asset: Asset): void => {
	// Browsers name gzip first and mean no order by it: the smallest that they take is sent.
	const encoding = (['br', 'gzip'] as const).find((name) => context.acceptsEncodings(name) === name) ?? 'identity';
	context.set(securityHeaders);
	context.set('Cache-Control', asset.immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
	context.status = 200;
	// Each encoding is a representation of its own (RFC 9110 section 8.8.3).
	context.etag = `${asset.entityTag}-${encoding}`;
	if (context.fresh) {
		context.status = 304;
		return;
	}
	if (encoding !== 'identity') {
		context.set('Content-Encoding', encoding);
	}
	context.type = asset.contentType;
	context.body = asset.bodies[encoding];
};
