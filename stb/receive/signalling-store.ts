import {type GatewayConfiguration, signallingPaths, signallingUris} from '#appliance/contract/gateway-session.ts';
import type {Title} from '#appliance/contract/title-schema.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {parseGatewayConfiguration} from '#stb/signalling/parse-gateway-configuration.ts';
import {parseServiceList} from '#stb/signalling/parse-service-list.ts';
import {parseTitles} from '#stb/signalling/parse-titles.ts';
import {titlesOfServiceList} from '#stb/signalling/titles-of-service-list.ts';

export type SignallingDocument = {readonly uri: string; readonly contentType: string; readonly bytes: Buffer};

/** What the box has understood of the signalling; a document that cannot be read leaves what was known before. */
export type SignallingStore = {
	take(document: SignallingDocument): void;
	readonly bootstrap: GatewayConfiguration | undefined;
	readonly gatewayConfiguration: GatewayConfiguration | undefined;
	/** Titles of titles.json first, then channels that only the service list knows. */
	titles(): readonly Title[];
	/** The document as it came (NIF, SIF, entry points, service list), for people and other programs of the home. */
	document(uri: string): SignallingDocument | undefined;
};

/** Documents kept as they are; whoever sends more names than the standards have is not served by us. */
const documentsMax = 64;
const documentsBytesMax = 32 * 1024 * 1024;

export const createSignallingStore = (options: {
	readonly objectBaseUri: string;
	readonly logger: Logger;
}): SignallingStore => {
	const {objectBaseUri, logger} = options;
	const documents = new Map<string, SignallingDocument>();
	let bootstrap: GatewayConfiguration | undefined;
	let gatewayConfiguration: GatewayConfiguration | undefined;
	let named: readonly Title[] = [];
	let channels: readonly Title[] = [];
	const readers: Readonly<Record<string, (text: string) => readonly unknown[]>> = {
		[signallingUris.bootstrap]: (text) => {
			const parsed = parseGatewayConfiguration(text);
			bootstrap = parsed;
			return parsed.problems;
		},
		[signallingUris.gatewayConfiguration]: (text) => {
			const parsed = parseGatewayConfiguration(text);
			gatewayConfiguration = parsed;
			return parsed.problems;
		},
		[`${objectBaseUri}${signallingPaths.titles}`]: (text) => {
			const parsed = parseTitles(text);
			named = parsed.titles;
			return parsed.problems;
		},
		[`${objectBaseUri}${signallingPaths.serviceList}`]: (text) => {
			const parsed = parseServiceList(text);
			channels = titlesOfServiceList(parsed);
			return parsed.problems;
		},
	};
	return {
		take: (document) => {
			documents.delete(document.uri);
			const keptBytes = documents.values().reduce((sum, {bytes}) => sum + bytes.length, document.bytes.length);
			if (documents.size < documentsMax && keptBytes <= documentsBytesMax) {
				documents.set(document.uri, document);
			}
			try {
				const problems = readers[document.uri]?.(document.bytes.toString('utf8')) ?? [];
				logger.debug({uri: document.uri, problems}, 'signalling read');
			} catch (error) {
				logger.warn({err: error, uri: document.uri}, 'signalling cannot be read; what was known before stays');
			}
		},
		get bootstrap() {
			return bootstrap;
		},
		get gatewayConfiguration() {
			return gatewayConfiguration;
		},
		titles: () => [...named, ...channels.filter(({id}) => !named.some((title) => title.id === id))],
		document: (uri) => documents.get(uri),
	};
};
