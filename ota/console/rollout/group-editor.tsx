import {type Signal, useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {RolloutCreate} from '#ota/contract/rollout-api.ts';
import {Button} from '../component/button.tsx';
import {SelectField, TextField, wordChoices} from '../component/field.tsx';
import {Icon} from '../component/icon.tsx';

/** As typed. */
export type DraftGroup = {
	readonly id: number;
	readonly name: string;
	readonly size: string;
	readonly unit: string;
	readonly success: string;
	readonly error: string;
	readonly soakMinutes: string;
	readonly action: string;
};

const draft = (id: number, name: string, size: string, error: string): DraftGroup => ({
	id,
	name,
	size,
	unit: 'percent',
	success: '100',
	error,
	soakMinutes: '0',
	action: 'pause',
});

const units = [
	{value: 'percent', text: 'percent'},
	{value: 'count', text: 'count'},
];

export const firstGroups: readonly DraftGroup[] = [
	draft(1, 'canary', '1', '1'),
	draft(2, 'early', '10', '5'),
	draft(3, 'rest', '100', '10'),
];

export const specOfGroup = (group: DraftGroup): RolloutCreate['groups'][number] => ({
	name: group.name,
	size:
		group.unit === 'count'
			? {kind: 'count', count: Number(group.size)}
			: {kind: 'percent', percent: Number(group.size)},
	successPercent: Number(group.success),
	errorPercent: group.error === '' ? null : Number(group.error),
	errorAction: group.action === 'abort' ? 'abort' : 'pause',
	soakMs: Number(group.soakMinutes) * 60_000,
});

export const GroupEditor = ({groups}: {readonly groups: Signal<readonly DraftGroup[]>}): JSX.Element => (
	<div class="form">
		{groups.value.map((group) => (
			<GroupRow key={group.id} group={group} groups={groups} />
		))}
		<p>
			<Button
				onPress={() => {
					const id = Math.max(0, ...groups.value.map((group) => group.id)) + 1;
					groups.value = [...groups.value, draft(id, `group ${id}`, '100', '10')];
				}}
			>
				<Icon name="plus" /> Add a group
			</Button>
		</p>
	</div>
);

type GroupRowProps = {readonly group: DraftGroup; readonly groups: Signal<readonly DraftGroup[]>};

const GroupRow = ({group, groups}: GroupRowProps): JSX.Element => {
	const field = (name: Exclude<keyof DraftGroup, 'id'>): Signal<string> => {
		const value = useSignal(group[name]);
		return {
			get value() {
				return value.value;
			},
			set value(next: string) {
				value.value = next;
				groups.value = groups.value.map((one) => (one.id === group.id ? {...one, [name]: next} : one));
			},
		} as Signal<string>;
	};
	const size = field('size');
	return (
		<div class="group-edit">
			<TextField label="Group" value={field('name')} />
			<SelectField label="Sized by" value={field('unit')} choices={units} />
			{group.unit === 'count' ? (
				<TextField label="Number of boxes" value={size} type="number" min={1} step={1} />
			) : (
				<TextField label="% of boxes" value={size} type="number" min={0} max={100} step="any" />
			)}
			<TextField label="Done at %" value={field('success')} type="number" min={0} max={100} step="any" />
			<TextField label="Fails at %" value={field('error')} type="number" min={0} max={100} step="any" />
			<TextField label="Soak, min" value={field('soakMinutes')} type="number" min={0} />
			<SelectField label="Then" value={field('action')} choices={wordChoices(['pause', 'abort'])} />
			<Button
				look="plain"
				title="Take this group out"
				disabled={groups.value.length === 1}
				onPress={() => {
					groups.value = groups.value.filter((one) => one.id !== group.id);
				}}
			>
				<Icon name="close" />
			</Button>
		</div>
	);
};
