import type {Title} from '#appliance/contract/title-schema.ts';
import type {ListedService, ServiceList} from '#stb/signalling/parse-service-list.ts';

const manifestsMax = 8;
const idCharactersMax = 200;

type Manifest = Title['manifests'][number];

const contentTypeOf = (text: string): Manifest['contentType'] | undefined => {
	if (text === 'application/dash+xml' || text === 'application/vnd.apple.mpegurl') {
		return text;
	}
	return undefined;
};

/** Our own lists name a service `tag:…:service/<title id>`; another operator's identifier is an id as it is. */
const titleIdOf = (identifier: string): string => {
	const own = /^tag:[^:]+:service\/(?<id>.+)$/u.exec(identifier)?.groups?.['id'];
	try {
		return decodeURIComponent(own ?? identifier);
	} catch {
		return identifier;
	}
};

const titleOf = (service: ListedService): Title | undefined => {
	const id = titleIdOf(service.identifier);
	const manifests = service.instances.flatMap(({delivery}) => {
		const contentType = delivery.kind === 'native-ip' ? contentTypeOf(delivery.contentType) : undefined;
		return delivery.kind !== 'native-ip' || contentType === undefined ? [] : [{uri: delivery.uri, contentType}];
	});
	if (manifests.length === 0 || id.length > idCharactersMax) {
		return undefined;
	}
	const {name, description, logoUri, channelNumber} = service;
	return {
		id,
		kind: 'live',
		name,
		manifests: manifests.slice(0, manifestsMax),
		...(description === undefined ? {} : {description}),
		...(logoUri === undefined ? {} : {imageUri: logoUri}),
		...(channelNumber === undefined ? {} : {channelNumber}),
	};
};

/** The channels of a service list that the carousel carries, as titles to press play on. */
export const titlesOfServiceList = (list: ServiceList): readonly Title[] =>
	list.services.flatMap((service) => titleOf(service) ?? []);
