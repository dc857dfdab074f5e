import {signallingPaths, signallingUris} from '#appliance/contract/gateway-session.ts';
import type {TitleList} from '#appliance/contract/title-schema.ts';
import type {SignallingFacts} from '#headend/signalling/signalling-facts.ts';
import type {VersionBook} from '#headend/signalling/version-book.ts';
import {writeBootstrap} from '#headend/signalling/write-bootstrap.ts';
import {writeEntryPoints} from '#headend/signalling/write-entry-points.ts';
import {writeGatewayConfiguration} from '#headend/signalling/write-gateway-configuration.ts';
import {writeNetworkInformation} from '#headend/signalling/write-network-information.ts';
import {writeServiceInformation} from '#headend/signalling/write-service-information.ts';
import {serviceListType, writeServiceList} from '#headend/signalling/write-service-list.ts';

/** One object of the announcement channel; `acquisitionMs` is the longest that a receiver may wait for it. */
export type SignallingObject = {
	readonly uri: string;
	readonly contentType: string;
	readonly bytes: Uint8Array;
	readonly acquisitionMs: number;
};

const gatewayConfigurationType = 'application/xml+dvb-mabr-session-configuration';

/** How often each goes round, after what two operators have on air. */
const acquisition = {networkMs: 500, bootstrapMs: 1000, listMs: 1000, titlesMs: 2000} as const;

const titleListOf = (facts: SignallingFacts): TitleList => ({version: 1, titles: [...facts.titles]});

/**
 * Everything that the announcement channel repeats (TS 103 876 clause 8). Call it again when facts change: an object
 * whose bytes are what they were is the same object, and only what changed gets a new version.
 */
export const signallingObjects = (facts: SignallingFacts, versions: VersionBook): readonly SignallingObject[] => {
	const object = (uri: string, contentType: string, content: string, acquisitionMs: number): SignallingObject => ({
		uri,
		contentType,
		bytes: Buffer.from(content),
		acquisitionMs,
	});
	const dated = (name: string, write: (facts: SignallingFacts, changedMs: number) => string): string =>
		write(facts, versions.stamp(name, write(facts, 0)).changedMs);
	const others = [
		object(
			signallingUris.networkInformation,
			'application/xml+dvb-nip-nif',
			dated('network-information', writeNetworkInformation),
			acquisition.networkMs,
		),
		object(
			signallingUris.serviceInformation,
			'application/xml+dvb-nip-sif',
			dated('service-information', writeServiceInformation),
			acquisition.networkMs,
		),
		object(
			signallingUris.gatewayConfiguration,
			gatewayConfigurationType,
			writeGatewayConfiguration(facts),
			acquisition.bootstrapMs,
		),
		object(signallingUris.serviceListEntryPoints, 'application/xml', writeEntryPoints(facts), acquisition.listMs),
		object(
			facts.objectBaseUri + signallingPaths.serviceList,
			serviceListType,
			writeServiceList(facts, versions),
			acquisition.listMs,
		),
		object(
			facts.objectBaseUri + signallingPaths.titles,
			'application/json',
			JSON.stringify(titleListOf(facts)),
			acquisition.titlesMs,
		),
	];
	const bootstrap = writeBootstrap(facts, others);
	return [object(signallingUris.bootstrap, gatewayConfigurationType, bootstrap, acquisition.bootstrapMs), ...others];
};
