import type Router from '@koa/router';
import type {Context} from 'koa';
import type {CataloguePage} from '#appliance/contract/catalogue-schema.ts';
import {sendFile} from '#appliance/http/send-file.ts';
import type {Clock} from '#appliance/time/clock.ts';
import type {Catalogue} from '#headend/catalogue/catalogue.ts';
import {toCatalogueObject} from '#headend/catalogue/catalogue-entry.ts';
import {assertWritable, type CataloguePath, parseCataloguePath} from '#headend/catalogue/catalogue-path.ts';
import {requestBody} from '#headend/catalogue/request-body.ts';
import {storeObject} from '#headend/catalogue/store-object.ts';
import {parseUploadRequest} from '#headend/catalogue/upload-request.ts';
import type {Uploads} from '#headend/catalogue/uploads.ts';
import {headendError} from '#headend/error-code.ts';

const pageObjectsDefault = 1000;
const pageObjectsMax = 5000;
const mountPoint = '/catalogue/';
const objectRoute = /^\/catalogue\/(?!feed$).+/u;

export type CatalogueRoutesOptions = {
	readonly catalogue: Catalogue;
	readonly uploads: Uploads;
	readonly clock: Clock;
	readonly objectBaseUri: string;
	readonly objectBytesMax: number;
	/** Whether the carousel has room for the object, for the answer of a PUT. */
	readonly planOf: (path: string) => {readonly fits: boolean; readonly reason?: string};
};

/** GET /catalogue, and the objects below it. */
export const mountCatalogue = (router: Router, options: CatalogueRoutesOptions): void => {
	router.get('/catalogue', (context) => {
		context.body = pageOf(options.catalogue, context.query);
	});
	router.get(objectRoute, async (context) => {
		const {path} = pathOf(context, options);
		if (context.method === 'HEAD' && context.get('Streamverse-Upload') === 'status') {
			await answerOffset(context, path, options);
			return;
		}
		const entry = options.catalogue.get(path);
		if (entry === undefined) {
			throw notFound(path);
		}
		await sendFile(context, {
			source: entry.filePath,
			sizeBytes: entry.sizeBytes,
			sha256: entry.sha256,
			contentType: entry.contentType,
			lastModifiedMs: entry.modifiedMs,
		});
	});
	router.put(objectRoute, (context) => putObject(context, options));
	router.delete(objectRoute, (context) => {
		const where = pathOf(context, options);
		assertWritable(where);
		if (options.catalogue.remove(where.path) === undefined) {
			throw notFound(where.path);
		}
		context.status = 204;
	});
};

const notFound = (path: string): Error =>
	headendError('HEADEND_OBJECT_NOT_FOUND', {status: 404, message: 'There is no such object.', details: {path}});

const pathOf = (context: Context, {objectBaseUri}: CatalogueRoutesOptions): CataloguePath =>
	parseCataloguePath(context.path.slice(mountPoint.length), objectBaseUri);

const putObject = async (context: Context, options: CatalogueRoutesOptions): Promise<void> => {
	const where = pathOf(context, options);
	assertWritable(where);
	const request = parseUploadRequest(context.req.headers, options.clock.nowMs());
	if ((request.totalBytes ?? 0) > options.objectBytesMax) {
		throw headendError('HEADEND_BODY_TOO_LARGE', {
			status: 413,
			message: `An object may have at most ${options.objectBytesMax} bytes.`,
			details: {totalBytes: request.totalBytes},
		});
	}
	const upload = await options.uploads.receive({
		...request,
		path: where.path,
		body: requestBody(context.req),
		maxBytes: options.objectBytesMax,
	});
	if (upload.kind === 'partial') {
		context.set('Streamverse-Offset', String(upload.offsetBytes));
		context.status = 202;
		context.body = {offsetBytes: upload.offsetBytes};
		return;
	}
	const {kind, entry} = await storeObject(options.catalogue, where, upload, {...request, origin: 'upload'});
	const plan = options.planOf(entry.path);
	context.status = kind === 'created' ? 201 : 200;
	context.set('Streamverse-Fits', plan.fits ? 'yes' : 'no');
	context.body = {kind, object: toCatalogueObject(entry), plan};
};

const answerOffset = async (context: Context, path: string, options: CatalogueRoutesOptions): Promise<void> => {
	const totalBytes = Number(context.get('Streamverse-Length'));
	const {sha256} = parseUploadRequest({'repr-digest': context.get('Repr-Digest') || undefined}, 0);
	const offset = Number.isSafeInteger(totalBytes) ? await options.uploads.offset({path, totalBytes, sha256}) : 0;
	context.set('Streamverse-Offset', String(offset));
	context.status = 200;
	context.length = 0;
};

const pageOf = (catalogue: Catalogue, query: Readonly<Record<string, unknown>>): CataloguePage => {
	const asked = Number(query['limit'] ?? pageObjectsDefault);
	const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, pageObjectsMax) : pageObjectsDefault;
	const after = typeof query['after'] === 'string' ? query['after'] : '';
	const {entries, more} = catalogue.page({after, limit});
	const last = entries.at(-1);
	return {
		revision: catalogue.revision,
		objects: entries.map(toCatalogueObject),
		...(more && last !== undefined ? {next: last.path} : {}),
	};
};
