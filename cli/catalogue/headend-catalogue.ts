import {type CatalogueObject, cataloguePageSchema} from '#appliance/contract/catalogue-schema.ts';
import {headendStatusSchema} from '#appliance/contract/headend-status-schema.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';

const requestTimeoutMs = 30_000;

const call = async (url: string, init: RequestInit): Promise<Response> => {
	try {
		return await fetch(url, {...init, signal: AbortSignal.timeout(requestTimeoutMs)});
	} catch (error) {
		throw new CodedError('CLI_HEADEND_UNREACHABLE', {
			message: `No headend answers at ${url}: ${errorMessage(error)}. Name another one with --url.`,
			cause: error,
			details: {url},
		});
	}
};

const assertOk = async (response: Response, what: string): Promise<void> => {
	if (!response.ok) {
		const problem = (await response.json().catch(() => ({}))) as {readonly title?: string; readonly code?: string};
		throw new CodedError('CLI_HEADEND_REFUSED', {
			message: `${what}: ${problem.title ?? `status ${response.status}`}`,
			details: {status: response.status, code: problem.code},
		});
	}
};

/** Every object of a headend's catalogue, page by page. */
export async function* listCatalogue(headendUrl: string): AsyncGenerator<CatalogueObject> {
	let after: string | undefined = '';
	while (after !== undefined) {
		const response = await call(`${headendUrl}/catalogue?limit=1000&after=${encodeURIComponent(after)}`, {});
		await assertOk(response, 'the catalogue cannot be listed');
		const page = cataloguePageSchema.parse(await response.json());
		yield* page.objects;
		after = page.next;
	}
}

/** Why an object has no place in the carousel, by path. */
export const listMisfits = async (headendUrl: string): Promise<ReadonlyMap<string, string>> => {
	const response = await call(`${headendUrl}/status`, {});
	await assertOk(response, 'the status cannot be read');
	const {carousel} = headendStatusSchema.parse(await response.json());
	return new Map(carousel.doesNotFit.map(({path, reason}) => [path, reason]));
};

export const removeFromCatalogue = async (headendUrl: string, path: string): Promise<void> => {
	const response = await call(`${headendUrl}/catalogue/${path}`, {method: 'DELETE'});
	await assertOk(response, `${path} cannot be removed`);
};
