import {useSignal} from '@preact/signals';
import type {JSX} from 'preact';
import type {BoxSummary} from '#ota/contract/box-api.ts';
import {Button} from '../component/button.tsx';
import {Empty, Failed} from '../component/empty.tsx';
import {Icon} from '../component/icon.tsx';
import {PageHead} from '../component/panel.tsx';
import {VirtualRows} from '../component/virtual-rows.tsx';
import {formatCount} from '../format/format-number.ts';
import {apiPath} from '../state/request.ts';
import {boxPath, go, search, setSearch} from '../state/router.ts';
import {may} from '../state/session.ts';
import {usePages} from '../state/use-pages.ts';
import {BoxCells, BoxHead, boxColumns} from './box-row.tsx';
import {BulkActions} from './bulk-actions.tsx';
import {FilterInput} from './filter-input.tsx';
import {useKnownValues} from './use-known-values.ts';

const pageBoxes = 200;

/** The refusals that are about the filter stand by its field, not above the list. */
const isAboutFilter = (code: string): boolean => code.includes('FILTER');

export const BoxesPage = (): JSX.Element => {
	const filter = search.value.get('filter') ?? '';
	const sort = search.value.get('sort') ?? 'id';
	const known = useKnownValues();
	const selected = useSignal<ReadonlySet<string>>(new Set());
	const boxes = usePages<BoxSummary>('/boxes', {query: {filter, sort}, limit: pageBoxes, live: ['boxes']});
	const error = boxes.error.value;
	const isFilterWrong = error !== undefined && (isAboutFilter(error.problem.code) || /filter/iu.test(error.message));
	const items = boxes.items;
	const toggle = (id: string | undefined): void => {
		if (id !== undefined) {
			selected.value = selected.value.symmetricDifference(new Set([id]));
		}
	};
	const open = (index: number): void => {
		const id = items[index]?.id;
		if (id !== undefined) {
			go(boxPath(id));
		}
	};
	return (
		<>
			<PageHead
				title="Boxes"
				actions={
					<>
						<ExportLink format="csv" filter={filter} sort={sort} />
						<ExportLink format="json" filter={filter} sort={sort} />
					</>
				}
			>
				<Total shown={items.length} total={boxes.total.value} hasMore={boxes.hasMore} />
			</PageHead>
			<div class="boxes-tools">
				<FilterInput
					value={filter}
					known={known}
					wrong={isFilterWrong ? error?.message : undefined}
					onChange={(next) => {
						selected.value = new Set();
						setSearch({filter: next});
					}}
				/>
			</div>
			{error !== undefined && !isFilterWrong && <Failed error={error} onRetry={boxes.reload} />}
			<section class="panel panel-flush boxes" aria-label="Boxes found" data-bulk={selected.value.size > 0}>
				{selected.value.size > 0 && (
					<BulkActions
						ids={[...selected.value]}
						filter={filter}
						onSelect={(ids) => {
							selected.value = new Set(ids);
						}}
						onEnd={() => {
							selected.value = new Set();
						}}
					/>
				)}
				<VirtualRows
					key={`${filter} ${sort}`}
					label="Boxes"
					count={items.length}
					hasMore={boxes.hasMore || boxes.isFirst.value}
					columns={boxColumns}
					head={<BoxHead sort={sort} onSort={(next) => setSearch({sort: next === 'id' ? undefined : next})} />}
					renderRow={(index) => {
						const box = items[index];
						return (
							box && (
								<BoxCells
									box={box}
									isSelected={selected.value.has(box.id)}
									onToggle={may('operator') ? () => toggle(box.id) : undefined}
								/>
							)
						);
					}}
					isSelected={(index) => selected.value.has(items[index]?.id ?? '')}
					onMore={boxes.more}
					onVisible={boxes.setVisible}
					onOpen={open}
					onSelect={(index) => may('operator') && toggle(items[index]?.id)}
					empty={<NoBoxes filter={filter} />}
				/>
			</section>
		</>
	);
};

const Total = (props: {readonly shown: number; readonly total: number | undefined; readonly hasMore: boolean}) => (
	<span class="soft" role="status" data-total={props.total}>
		{props.total === undefined
			? `${formatCount(props.shown)}${props.hasMore ? ' and more' : ''}`
			: formatCount(props.total)}
	</span>
);

const ExportLink = (props: {readonly format: 'csv' | 'json'; readonly filter: string; readonly sort: string}) => (
	<a
		class="button"
		href={apiPath('/boxes/export', props)}
		download={`boxes.${props.format}`}
		title={`What the filter finds as ${props.format.toUpperCase()}`}
	>
		<Icon name="download" /> {props.format.toUpperCase()}
	</a>
);

const NoBoxes = ({filter}: {readonly filter: string}): JSX.Element =>
	filter === '' ? (
		<Empty title="No box is enrolled yet">
			<Button look="primary" onPress={() => go('/claims')}>
				Make a claim for the first
			</Button>
		</Empty>
	) : (
		<Empty icon="search" title="No box matches this filter">
			<Button onPress={() => setSearch({filter: undefined})}>Clear the filter</Button>
		</Empty>
	);
