import {signallingPaths} from '#appliance/contract/gateway-session.ts';
import type {SignallingFacts} from '#headend/signalling/signalling-facts.ts';
import {serviceListIdOf, serviceListType} from '#headend/signalling/write-service-list.ts';
import {element, serialiseDocument, text} from '#headend/signalling/xml-element.ts';

/** The service list entry points (TS 103 770 clause 5.3): one offering, which lies on our own carousel. */
export const writeEntryPoints = (facts: SignallingFacts): string => {
	const {operator, network} = facts;
	return serialiseDocument(
		element(
			'ServiceListEntryPoints',
			{
				xmlns: 'urn:dvb:metadata:servicelistdiscovery:2024',
				'xmlns:dt': 'urn:dvb:metadata:servicediscovery-types:2023',
				'xml:lang': operator.language,
			},
			element('ServiceListRegistryEntity', {}, text('Name', operator.name)),
			element(
				'ProviderOffering',
				{},
				element('Provider', {}, text('Name', operator.name)),
				element(
					'ServiceListOffering',
					{},
					text('dt:ServiceListName', operator.name),
					element(
						'dt:ServiceListURI',
						{contentType: serviceListType},
						text('dt:URI', facts.objectBaseUri + signallingPaths.serviceList),
					),
					element(
						'dt:Delivery',
						{},
						element('dt:DASHDelivery', {}),
						network.satellite === undefined
							? undefined
							: element('dt:DVBSDelivery', {}, text('dt:OrbitalPosition', network.satellite.orbitalPositionDegrees)),
					),
					text('dt:Language', operator.language),
					operator.country === undefined ? undefined : text('dt:TargetCountry', operator.country),
					text('dt:ServiceListId', serviceListIdOf(facts)),
				),
			),
		),
	);
};
