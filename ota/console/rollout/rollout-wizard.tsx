import {type Signal, useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import {useEffect} from 'preact/hooks';
import type {Release} from '#ota/contract/release-api.ts';
import type {Rollout, RolloutCreate, RolloutPreview} from '#ota/contract/rollout-api.ts';
import {FilterInput} from '../boxes/filter-input.tsx';
import {useKnownValues} from '../boxes/use-known-values.ts';
import {Button} from '../component/button.tsx';
import {CheckField, SelectField, TextField, wordChoices} from '../component/field.tsx';
import {PageHead, Panel} from '../component/panel.tsx';
import {formatCount, plural} from '../format/format-number.ts';
import {messageOf, request} from '../state/request.ts';
import {go, search} from '../state/router.ts';
import {attempt} from '../state/toast.ts';
import {useResource} from '../state/use-resource.ts';
import {type DraftGroup, firstGroups, GroupEditor, specOfGroup} from './group-editor.tsx';
import './rollout.css';

/** Release, boxes, groups, times: then what it would do, and only then the rollout. */
export const RolloutWizard = (): JSX.Element => {
	const known = useKnownValues();
	const releases = useResource<{items: readonly Release[]}>('/releases', {query: {state: 'published', limit: 100}});
	const release = useSignal(search.value.get('release') ?? '');
	const kind = useSignal('');
	const name = useSignal('');
	const filter = useSignal('');
	const groups = useSignal<readonly DraftGroup[]>(firstGroups);
	const inFlight = useSignal('500');
	const start = useSignal('');
	const rebootMinutes = useSignal('15');
	const isByCarousel = useSignal(false);
	const window = useSignal('');
	const preview = useSignal<RolloutPreview | undefined>(undefined);
	const wrong = useSignal<string | undefined>(undefined);
	const items = releases.data.value?.items ?? [];
	const {chosen, kinds, chosenKind} = useChosen(items, release, kind);

	const spec = (): RolloutCreate => {
		const [from, to] = window.value.split(/\s*[-–]\s*/u);
		return {
			name: name.value || `${chosen?.release} to ${chosenKind}`,
			release: chosen?.release as RolloutCreate['release'],
			kind: chosenKind as RolloutCreate['kind'],
			filter: filter.value,
			groups: groups.value.map(specOfGroup),
			inFlightMax: Number(inFlight.value),
			startAtMs: start.value === '' ? null : Date.parse(start.value),
			windows: from !== undefined && to !== undefined ? [{days: [1, 2, 3, 4, 5, 6, 7], from, to}] : null,
			deadlines: {rebootMs: Number(rebootMinutes.value) * 60_000},
			sources: {carouselWaitMs: isByCarousel.value ? 86_400_000 : null},
		};
	};
	// What was looked at is what is made: a change wants another look.
	const wanted = JSON.stringify(spec());
	useEffect(() => {
		preview.value = undefined;
	}, [wanted]);
	const look = async (): Promise<void> => {
		try {
			preview.value = (await request<RolloutPreview>('POST', '/rollout-preview', {body: spec()})).body;
			wrong.value = undefined;
		} catch (error) {
			preview.value = undefined;
			wrong.value = messageOf(error);
		}
	};
	const make = () =>
		attempt(async () => {
			const {body} = await request<Rollout>('POST', '/rollouts', {body: spec()});
			go(`/rollouts/${body.id}`);
		}, 'The rollout was made; somebody else has to approve it');
	return (
		<>
			<PageHead title="New rollout" />
			<div class="steps">
				<Panel title="1 · What">
					<div class="form-row">
						<SelectField label="Release" value={release} choices={wordChoices(items.map((one) => one.release))} />
						<SelectField label="Kind of box" value={kind} choices={wordChoices(kinds)} />
						<TextField label="Name" value={name} placeholder={`${chosen?.release ?? ''} to ${chosenKind ?? ''}`} />
					</div>
				</Panel>
				<Panel title="2 · Which boxes">
					<FilterInput
						value={filter.value}
						known={known}
						wrong={/column \d/u.test(wrong.value ?? '') ? wrong.value : undefined}
						onChange={(next) => {
							filter.value = next;
						}}
					/>
					<p class="faint small">Empty: every box of the kind.</p>
				</Panel>
				<Panel title="3 · In which groups">
					<GroupEditor groups={groups} />
					<p class="faint small">Percent are of all boxes that match. The last group takes what is left.</p>
				</Panel>
				<Panel title="4 · When">
					<div class="form-row">
						<TextField label="Not before" value={start} type="datetime-local" />
						<TextField
							label="Install within"
							value={window}
							placeholder="02:00-05:00"
							hint="Each box's own time; empty: its site's windows"
						/>
						<TextField label="Orders open at once" value={inFlight} type="number" min={1} />
						<TextField label="Dark after its reboot: minutes" value={rebootMinutes} type="number" min={1} />
					</div>
					<CheckField
						label="Wait for the bundle on the satellite for a day before fetching it by unicast"
						value={isByCarousel}
					/>
				</Panel>
				<Panel
					title="5 · Review"
					class="step-review"
					actions={
						<>
							<Button disabled={chosen === undefined} onPress={look}>
								Preview
							</Button>
							<Button look="primary" disabled={preview.value === undefined} onPress={make}>
								Make the rollout
							</Button>
						</>
					}
				>
					{wrong.value !== undefined && (
						<p class="notice" data-tone="bad" role="alert">
							{wrong.value}
						</p>
					)}
					{preview.value === undefined ? (
						<p class="soft">The preview says which boxes each group takes. Nothing is sent to any box yet.</p>
					) : (
						<Preview preview={preview.value} />
					)}
				</Panel>
			</div>
		</>
	);
};

/** The release and kind that the fields name, or the first there is; what is chosen for a person is also shown. */
const useChosen = (items: readonly Release[], release: Signal<string>, kind: Signal<string>) => {
	const chosen = items.find((one) => one.release === release.value) ?? items[0];
	const kinds = [...new Set(chosen?.manifest.bundles.map((bundle) => bundle.kind) ?? [])];
	const chosenKind = kinds.find((one) => one === kind.value) ?? kinds[0];
	useEffect(() => {
		release.value = chosen?.release ?? release.value;
		kind.value = chosenKind ?? kind.value;
	}, [chosen?.release, chosenKind]);
	return {chosen, kinds, chosenKind};
};

const Preview = ({preview}: {readonly preview: RolloutPreview}): JSX.Element => (
	<>
		{preview.warnings.map((warning) => (
			<p key={warning} class="notice" data-tone="warn">
				{warning}
			</p>
		))}
		<p>{plural(preview.boxes, 'box', 'boxes')} match.</p>
		<table class="table">
			<thead>
				<tr>
					<th>Group</th>
					<th class="number">Boxes</th>
					<th class="number">Online</th>
					<th class="number">Run it already</th>
					<th class="wide">Some of them</th>
				</tr>
			</thead>
			<tbody>
				{preview.groups.map((group) => (
					<tr key={group.name}>
						<td class="nowrap">{group.name}</td>
						<td class="number">{formatCount(group.boxes)}</td>
						<td class="number">{formatCount(group.online)}</td>
						<td class="number">{formatCount(group.alreadyDone)}</td>
						<td class="wide faint small">{group.sample.slice(0, 5).join(', ')}</td>
					</tr>
				))}
			</tbody>
		</table>
	</>
);
