import type {Site} from '#ota/contract/box-api.ts';
import type {Release} from '#ota/contract/release-api.ts';
import {useResource} from '../state/use-resource.ts';
import type {KnownValues} from './filter-suggestions.ts';

/** What the fleet knows and the language does not: its sites and releases. */
export const useKnownValues = (): KnownValues => {
	const sites = useResource<{items: readonly Site[]}>('/sites', {query: {limit: 500}});
	const releases = useResource<{items: readonly Release[]}>('/releases', {query: {limit: 50}, live: ['releases']});
	return {
		site: sites.data.value?.items.map(({id}) => id) ?? [],
		release: releases.data.value?.items.map(({release}) => release) ?? [],
	};
};
