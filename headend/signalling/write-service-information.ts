import {signallingPaths} from '#appliance/contract/gateway-session.ts';
import {liveTitlesOf, type SignallingFacts} from '#headend/signalling/signalling-facts.ts';
import {nativeIpAttributes, streamIdElements} from '#headend/signalling/write-network-information.ts';
import {element, serialiseDocument, text} from '#headend/signalling/xml-element.ts';

/** The Service Information File (TS 103 876): which lists and manifests this stream carries. */
export const writeServiceInformation = (facts: SignallingFacts, changedMs: number): string => {
	const uris = [
		facts.objectBaseUri + signallingPaths.serviceList,
		...liveTitlesOf(facts).flatMap((title) => title.manifests.map((manifest) => manifest.uri)),
	];
	return serialiseDocument(
		element(
			'ServiceInformationFile',
			nativeIpAttributes,
			text('VersionUpdate', new Date(changedMs).toISOString()),
			text('NIPNetworkProviderName', facts.network.providerName),
			element(
				'BroadcastMediaStream',
				{},
				text('NIPNetworkID', facts.network.networkId),
				streamIdElements(facts.network),
				element(
					'BroadcastMedia',
					{},
					uris.map((uri) => text('URI', uri)),
				),
			),
		),
	);
};
