/**
 * Specs: layers, losses, optimisers ... as plain data, checked against the option tables of C. Needs no engine.
 * `{ layer: 'dense', options: { units: 10 } }` can be written to JSON, sent to a worker, and checked again on reading.
 */
import { HeddleError, checkOptions, kindOf, nearest, suggest } from './errors.js';
import { tables } from './tables.js';

/** @import { ActivityFactories, ConstraintFactories, InitializerFactories, LayerFactories, LossFactories, MetricFactories } from './tables.js' */
/** @import { OptimizerFactories, RecipeFactories, RegularizerFactories, ScheduleFactories } from './tables.js' */
/**
 * @typedef {object} Factories
 * @property {LayerFactories} layer
 * @property {LossFactories} loss
 * @property {MetricFactories} metric
 * @property {OptimizerFactories} optimizer
 * @property {ScheduleFactories} schedule
 * @property {InitializerFactories} initializer
 * @property {RegularizerFactories} regularizer
 * @property {ConstraintFactories} constraint
 * @property {ActivityFactories} activity
 * @property {RecipeFactories} recipe
 */

/** @typedef {number | boolean | string | readonly number[]} OptionValue of an option: a string for one of several names, an array for a list of numbers */
/** @typedef {{ readonly [name: string]: OptionValue }} OptionValues options of a class by name, only those that were given */
/**
 * A row of an option table; the range is `min` (or, excluded, `above`) to `max` (or `below`).
 * @typedef {object} Option
 * @property {string} type 'int', 'number', 'bool', 'enum', or 'ints', 'numbers': lists
 * @property {number} [min]
 * @property {number} [above]
 * @property {number} [max]
 * @property {number} [below]
 * @property {readonly string[]} [names] of an enum, in the order of C
 * @property {number} [group] of a list of pairs: 2
 * @property {boolean} [required]
 * @property {OptionValue} [default]
 */
/** @typedef {{ options: { [name: string]: Option }, weights?: string[], inputs?: number[] }} ClassTable layers also have names of
 *   their weights, and the least and the largest number of inputs */
/** @typedef {Record<Kind, { [name: string]: ClassTable }>} Tables */
/** @typedef {keyof Specs} Kind */
/**
 * @typedef {object} Specs
 * @property {LayerSpec} layer
 * @property {LossSpec} loss
 * @property {MetricSpec} metric
 * @property {OptimizerSpec} optimizer
 * @property {ScheduleSpec} schedule
 * @property {InitializerSpec} initializer
 * @property {RegularizerSpec} regularizer
 * @property {ConstraintSpec} constraint
 * @property {ActivitySpec} activity
 * @property {RecipeSpec} recipe
 */
/** @typedef {object} LossFields @property {string} loss name of its class, such as 'huber'
 * @property {OptionValues} options those that were given: the others have their defaults */
/** @typedef {Readonly<LossFields>} LossSpec */
/** @typedef {object} MetricFields @property {string} metric name of its class, such as 'accuracy'
 * @property {OptionValues} options those that were given: the others have their defaults */
/** @typedef {Readonly<MetricFields>} MetricSpec */
/** @typedef {object} OptimizerFields @property {string} optimizer name of its class, such as 'adam'
 * @property {OptionValues} options those that were given: the others have their defaults
 * @property {ScheduleSpec} [schedule] what its learning rate is from step to step; the same in all unless told */
/** @typedef {Readonly<OptimizerFields>} OptimizerSpec */
/** @typedef {object} ScheduleFields @property {string} schedule name of its class, such as 'cosine'
 * @property {OptionValues} options those that were given: the others have their defaults
 * @property {number} [initialLearningRate] what it starts from; the optimiser's own learning rate unless told. Not in an optimiser's `schedule` */
/** @typedef {Readonly<ScheduleFields>} ScheduleSpec */
/** @typedef {object} InitializerFields @property {string} initializer name of its class, such as 'glorot'
 * @property {OptionValues} options those that were given: the others have their defaults */
/** @typedef {Readonly<InitializerFields>} InitializerSpec */
/** @typedef {object} RegularizerFields @property {string} regularizer name of its class, such as 'l2'
 * @property {OptionValues} options those that were given: the others have their defaults */
/** @typedef {Readonly<RegularizerFields>} RegularizerSpec */
/** @typedef {object} ConstraintFields @property {string} constraint name of its class, such as 'unitNorm'
 * @property {OptionValues} options those that were given: the others have their defaults */
/** @typedef {Readonly<ConstraintFields>} ConstraintSpec */
/** @typedef {object} ActivityFields @property {string} activity name of its class, such as 'klSparsity'
 * @property {OptionValues} options those that were given: the others have their defaults */
/** @typedef {Readonly<ActivityFields>} ActivitySpec */
/** @typedef {object} RecipeFields @property {string} recipe name of its class, such as 'resnet18'
 * @property {OptionValues} options those that were given: the others have their defaults */
/** @typedef {Readonly<RecipeFields>} RecipeSpec */
/**
 * What hangs on weights.
 * @typedef {object} WeightSpec
 * @property {InitializerSpec} [initializer] draws their first values; the layer's own unless told
 * @property {RegularizerSpec | readonly RegularizerSpec[]} [regularizer] penalty on their values, added to the loss, or several that add up; none unless told
 * @property {ConstraintSpec} [constraint] that they are brought back to after each step of the optimiser; none unless told
 * @property {number} [learningRateFactor] on the learning rate, 0 to 1e6; 1 unless told
 * @property {boolean} [frozen] training leaves them as they are; false unless told
 */
/** @typedef {Readonly<LayerFields>} LayerSpec */
/**
 * @typedef {object} LayerFields
 * @property {string} layer name of its class; 'input' for an input
 * @property {string} [name] unique in a model, 1 to 63 bytes of UTF-8 without "/"; by default the class's name, numbered
 * @property {OptionValues} [options] every layer but an input has them
 * @property {{ readonly kernel?: Readonly<WeightSpec>, readonly bias?: Readonly<WeightSpec> }} [weights] kernel: of all weights
 *   but biases
 * @property {ActivitySpec} [activity] penalty on the layer's outputs, added to the loss; none unless told
 * @property {readonly number[]} [inputShape] of one sample: makes an input before the first layer of a sequential model
 * @property {readonly number[]} [shape] of an input: of one sample, without the batch; 1 to 6 sizes
 */
/**
 * Options of every layer.
 * @typedef {object} LayerExtras
 * @property {string} [name] unique in a model, 1 to 63 bytes of UTF-8 without "/"; by default the class's name, numbered
 * @property {readonly number[]} [inputShape] of the first layer of a sequential model, in place of layers.input
 * @property {ActivitySpec | string} [activityRegularizer] penalty on the layer's outputs, such as regularizers.klSparsity()
 */
/**
 * Options of every layer with weights.
 * @typedef {object} WeightExtras
 * @property {boolean} [trainable=true] false: training leaves the weights as they are, and those that a layer keeps itself: batch normalisation
 *   runs as at inference. Layers without weights are not concerned: as in Keras, dropout between such layers stays active in training. Through a
 *   front of layers that do not train no gradient is computed
 * @property {number} [learningRateFactor=1] on the learning rate of this layer's weights; >= 0. With 0 the weights stay as they are, their moments
 *   too (and no gradient is computed for them), but statistics of batch normalisation move; lbfgs knows no factors
 * @property {InitializerSpec | string} [kernelInitializer] of all weights but biases
 * @property {RegularizerSpec | string | readonly (RegularizerSpec | string)[]} [kernelRegularizer] one, or several that add up
 * @property {ConstraintSpec | string} [kernelConstraint] that all weights but biases are brought back to after each step; none unless told
 * @property {InitializerSpec | string} [biasInitializer] of the biases, bias or beta; the layer's own unless told: zeros, for monotonicDense `spread`
 * @property {RegularizerSpec | string | readonly (RegularizerSpec | string)[]} [biasRegularizer] one, or several that add up; none unless told
 * @property {ConstraintSpec | string} [biasConstraint] that the biases are brought back to after each step; none unless told
 */
/**
 * @typedef {object} ScheduleExtras
 * @property {number} [initialLearningRate] what the schedule starts from; by default the optimiser's own learning rate
 */
/** @typedef {object} InputOptions @property {readonly number[]} shape of one sample, without the batch: 1 to 6 sizes
 * @property {string} [name] unique in a model, 1 to 63 bytes of UTF-8 without "/"; "input", numbered, unless told */

/** Where factories live, for messages. @type {Record<Kind, string>} */
const spaces = {
  layer: 'layers', loss: 'losses', metric: 'metrics', optimizer: 'optimizers', schedule: 'schedules', initializer: 'initializers',
  regularizer: 'regularizers', constraint: 'constraints', activity: 'regularizers', recipe: 'recipes',
};
const kinds = /** @type {Kind[]} */ (Object.keys(spaces));
const attached = /** @type {const} */ (['initializer', 'regularizer', 'constraint']);
const groups = /** @type {const} */ (['kernel', 'bias']);
const maxRank = 6;
const maxNameBytes = 63;
/** @type {Option} */
const factorOption = { type: 'number', min: 0, max: 1e6 };
/** @type {Option} */
const shapeOption = { type: 'ints', min: 1, max: 2 ** 31 - 1 };

/** @param {string} message @returns {never} */
function refuse(message) {
  throw new HeddleError('argument', message);
}

/** "kernel", "initializer" -> "kernelInitializer". @param {string} group @param {string} kind */
const joined = (group, kind) => group + kind[0].toUpperCase() + kind.slice(1);

/**
 * The end of an "unknown class" sentence: a name near it, one that begins like it, or one with these initials (mse).
 * @param {string} name
 * @param {readonly string[]} names
 */
function suggestClass(name, names) {
  const given = name.toLowerCase();
  /** @type {Map<string, string>} */
  const initials = new Map();
  for (const one of names) if (/[A-Z]/.test(one)) initials.set(one[0] + one.replace(/[^A-Z]/g, '').toLowerCase(), one);
  const near = nearest(name, names)
    ?? names.find(one => given.startsWith(one.toLowerCase()) || (given.length > 2 && one.toLowerCase().startsWith(given)))
    ?? initials.get(nearest(name, initials.keys()) ?? '');
  return suggest(near ?? name, names);
}

/** A value in a message. @param {unknown} value */
function show(value) {
  if (typeof value === 'string' || (Array.isArray(value) && value.length === 0)) return JSON.stringify(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value);
}

/** "an integer 1..65536". @param {Option} option */
function expected({ type, names = [], min, above, max, below, required, group }) {
  if (group) return `an array of arrays of ${group} integers ${min}..${max}`;
  switch (type) {
    case 'bool': return 'true or false';
    case 'enum': return `one of ${names.join(', ')}`;
    case 'int': return `an integer ${min}..${max}`;
    case 'ints': return `an integer or ${required ? 'a non-empty' : 'an'} array of integers ${min}..${max}`;
    case 'numbers': return `a number or ${required ? 'a non-empty' : 'an'} array of numbers ${min}..${max}`;
    default: return `a number ${above === undefined ? `>= ${min}` : `> ${above}`} and ${below === undefined ? `<= ${max}` : `< ${below}`}`;
  }
}

/** @param {Option} option @param {unknown} value */
function isAllowed({ type, names = [], min = -Infinity, above = -Infinity, max = Infinity, below = Infinity }, value) {
  if (type === 'bool') return typeof value === 'boolean';
  if (type === 'enum') return typeof value === 'string' && names.includes(value);
  return typeof value === 'number' && Number.isFinite(value) && (type === 'number' || Number.isInteger(value))
    && value >= min && value <= max && value > above && value < below;
}

/** Takes 'ints' or 'numbers'; one of them stands for a list of one. @param {Option} option */
const isList = option => option.type.endsWith('s');

/**
 * @param {Option} option
 * @param {unknown} value
 * @param {string} where whose value it is, such as "layers.dense: units"
 * @returns {OptionValue} the value; a frozen copy of a list
 */
function checkValue(option, value, where) {
  if (option.group) return checkGroups(option, option.group, value, where);
  if (isList(option) && Array.isArray(value) && (value.length || !option.required)) {
    const one = { ...option, type: option.type.slice(0, -1) };
    return Object.freeze(Array.from(value, (number, i) => /** @type {number} */ (checkValue(one, number, `${where}[${i}]`))));
  }
  if (isList(option) && isAllowed({ ...option, type: option.type.slice(0, -1) }, value)) return Object.freeze([Number(value)]);
  if (isList(option) || !isAllowed(option, value)) {
    const wanted = option.type === 'enum' && typeof value === 'string' ? suggestClass(value, option.names ?? []) : `, expected ${expected(option)}`;
    refuse(`${where} = ${show(value)}${wanted}`);
  }
  return /** @type {OptionValue} */ (value);
}

/** A list of lists of `size` numbers each; a single one of these, or all numbers in one list, will do.
 * @param {Option} option @param {number} size @param {unknown} value @param {string} where @returns {OptionValue} */
function checkGroups(option, size, value, where) {
  const list = Array.isArray(value) ? value : [], flat = list.flat();
  const short = list.some(Array.isArray) && !list.every(one => Array.isArray(one) && one.length === size);
  if (short || flat.length === 0 || flat.length % size) refuse(`${where} = ${JSON.stringify(value)}, expected ${expected(option)}`);
  return checkValue({ ...option, group: undefined }, flat, where);
}

/** @param {Kind} kind @param {string} name of a class @param {string} where @returns {ClassTable} */
function tableOf(kind, name, where) {
  const classes = tables[kind];
  if (!Object.hasOwn(classes, name)) refuse(`${where}: unknown ${kind} ${JSON.stringify(name)}${suggestClass(name, Object.keys(classes))}`);
  return classes[name];
}

/** "layers" and "dense" give "layers.dense". @param {Kind} kind @param {string} name @param {string} where */
const within = (kind, name, where) => (where === spaces[kind] ? `${where}.${name}` : `${where}: ${name}`);

/**
 * @param {ClassTable} table
 * @param {unknown} options
 * @param {string} where
 * @returns {OptionValues}
 */
function checkValues(table, options, where) {
  checkOptions(options, Object.keys(table.options), where);
  const given = /** @type {Record<string, unknown>} */ (options ?? {});
  /** @type {Record<string, OptionValue>} */
  const checked = {};
  for (const [name, option] of Object.entries(table.options)) {
    if (given[name] !== undefined) checked[name] = checkValue(option, given[name], `${where}: ${name}`);
    else if (option.required) refuse(`${where}: ${name} is missing, expected ${expected(option)}`);
  }
  return Object.freeze(checked);
}

/** @param {unknown} name @param {string} where */
function checkName(name, where) {
  const bytes = typeof name === 'string' ? new TextEncoder().encode(name).length : 0;
  if (typeof name !== 'string' || bytes < 1 || bytes > maxNameBytes || /[/\0]/.test(name)) {
    refuse(`${where}: name = ${show(name)}, expected a string of 1..${maxNameBytes} bytes without "/"`);
  }
}

/** @param {unknown} shape @param {string} where */
function checkShape(shape, where) {
  const checked = /** @type {readonly number[]} */ (checkValue(shapeOption, shape, where));
  if (checked.length > maxRank) refuse(`${where} has ${checked.length} dimensions, expected at most ${maxRank}`);
  return checked;
}

/**
 * @param {unknown} options { shape, name }
 * @returns {LayerSpec}
 */
export function inputSpec(options, where = 'layers.input') {
  checkOptions(options, ['shape', 'name'], where);
  const { shape, name } = /** @type {Record<string, unknown>} */ (options ?? {});
  if (shape === undefined) refuse(`${where}: shape is missing, expected ${expected(shapeOption)}`);
  if (name !== undefined) checkName(name, where);
  return Object.freeze({ layer: 'input', ...name !== undefined && { name: String(name) }, shape: checkShape(shape, `${where}: shape`) });
}

/** @param {string} weight */
export const isBias = weight => /^b(ias|eta)?$/i.test(weight);

/** Groups of weights a layer has: "kernel", "bias". @param {ClassTable} table @param {unknown} useBias */
function groupsOf({ weights = [] }, useBias) {
  return groups.filter(group => (group === 'kernel' ? weights.some(name => !isBias(name)) : useBias !== false && weights.some(isBias)));
}

/** @param {unknown} given @param {string} group @param {string} where @returns {Readonly<WeightSpec>} */
function checkWeights(given, group, where) {
  checkOptions(given, [...attached, 'learningRateFactor', 'frozen'], `${where}: weights.${group}`);
  const { learningRateFactor, frozen, ...rest } = /** @type {Record<string, unknown>} */ (given);
  /** @type {Record<string, unknown>} */
  const checked = {};
  for (const kind of attached) {
    const value = rest[kind], place = `${where}: ${joined(group, kind)}`;
    if (value === undefined) continue;
    checked[kind] = kind === 'regularizer' && Array.isArray(value)
      ? Object.freeze(value.map(one => asSpec(kind, one, place))) : asSpec(kind, value, place);
  }
  if (learningRateFactor !== undefined) {
    checked.learningRateFactor = checkValue(factorOption, learningRateFactor, `${where}: learningRateFactor`);
  }
  if (frozen !== undefined) checked.frozen = checkValue({ type: 'bool' }, frozen, `${where}: frozen`);
  return Object.freeze(checked);
}

/** What layers have beside options. @param {Record<string, unknown>} value @param {ClassTable} table
 * @param {OptionValues} options @param {string} where */
function checkLayer({ name, weights, activity, inputShape }, table, options, where) {
  if (name !== undefined) checkName(name, where);
  const allowed = groupsOf(table, options.useBias);
  checkOptions(weights, allowed, `${where}: weights`);
  const given = /** @type {Record<string, unknown>} */ (weights ?? {});
  return {
    ...name !== undefined && { name: String(name) },
    ...weights !== undefined && {
      weights: Object.freeze(Object.fromEntries(allowed.filter(group => given[group] !== undefined)
        .map(group => [group, checkWeights(given[group], group, where)]))),
    },
    ...activity !== undefined && { activity: asSpec('activity', activity, `${where}: activityRegularizer`) },
    ...inputShape !== undefined && { inputShape: checkShape(inputShape, `${where}: inputShape`) },
  };
}

/** The same layer with weights that training leaves as they are, and as at inference if that makes a difference.
 * @param {LayerSpec} spec @returns {LayerSpec} */
export function frozenLayer(spec) {
  const table = spec.layer === 'input' ? { options: {} } : tables.layer[spec.layer], own = groupsOf(table, spec.options?.useBias);
  if (!own.length) return spec;
  return asSpec('layer', {
    ...spec, ...table.options.frozen && { options: { ...spec.options, frozen: true } },
    weights: Object.fromEntries(own.map(group => [group, { ...spec.weights?.[group], frozen: true }])),
  });
}

/** @param {unknown} value @param {string} where */
function checkOptimizerSchedule(value, where) {
  const schedule = asSpec('schedule', value, `${where}: schedule`);
  if (schedule.initialLearningRate !== undefined) refuse(`${where}: schedule: an initialLearningRate here would be ignored`);
  return schedule;
}

/** Keys of a spec beside its kind and options. @type {Partial<Record<Kind, string[]>>} */
const extraKeys = {
  layer: ['name', 'weights', 'activity', 'inputShape'], optimizer: ['schedule'], schedule: ['initialLearningRate'],
};

/**
 * Checks a spec, or makes one with all defaults from the name of a class.
 * @template {Kind} K
 * @param {K} kind
 * @param {unknown} value `{ loss: 'huber', options: { delta: 2 } }`, or 'huber'
 * @param {string} [where] whose it is, for messages
 * @returns {Specs[K]} a frozen copy
 * @throws {HeddleError} `argument` that names the culprit and the nearest name
 */
export function asSpec(kind, value, where = spaces[kind]) {
  const spec = /** @type {Record<string, unknown>} */ (typeof value === 'string' ? { [kind]: value } : value ?? {});
  const name = spec[kind];
  if (typeof name !== 'string') {
    const other = kinds.find(one => typeof spec[one] === 'string');
    return refuse(`${where}: expected one of the ${kind} specs ${Object.keys(tables[kind]).join(', ')}, got `
      + `${other ? `the ${other} ${show(spec[other])}` : show(value)}`);
  }
  if (kind === 'layer' && name === 'input') {
    const { layer, ...options } = spec;
    return /** @type {Specs[K]} */ (inputSpec(options, within(kind, name, where)));
  }
  const table = tableOf(kind, name, where), inside = within(kind, name, where);
  checkOptions(spec, [kind, 'options', ...extraKeys[kind] ?? []], inside);
  const options = checkValues(table, spec.options, inside);
  return /** @type {Specs[K]} */ (/** @type {unknown} */ (Object.freeze({
    [kind]: name,
    options,
    ...kind === 'layer' && checkLayer(spec, table, options, inside),
    ...kind === 'optimizer' && spec.schedule !== undefined && { schedule: checkOptimizerSchedule(spec.schedule, inside) },
    ...kind === 'schedule' && spec.initialLearningRate !== undefined && {
      initialLearningRate: checkValue(tables.optimizer.sgd.options.learningRate, spec.initialLearningRate, `${inside}: initialLearningRate`),
    },
  })));
}

/**
 * The options as C takes them: doubles in table order, a list as its length and its values, an enum as its index.
 * @param {Kind} kind
 * @param {string} name of the class
 * @param {unknown} [options] checked here too; undefined ones become their defaults
 * @param {string} [where]
 * @returns {number[]}
 */
export function encodeOptions(kind, name, options, where = spaces[kind]) {
  const table = tableOf(kind, name, where), checked = checkValues(table, options, within(kind, name, where));
  return Object.entries(table.options).flatMap(([key, option]) => {
    const value = checked[key] ?? option.default;
    if (Array.isArray(value)) return [value.length, ...value];
    return option.names ? option.names.indexOf(/** @type {string} */ (value)) : Number(value);
  });
}

/**
 * The inverse: options by name, those with their default values left out.
 * @param {Kind} kind
 * @param {string} name of the class
 * @param {readonly number[]} values all of them, as C writes them
 * @returns {OptionValues}
 */
export function decodeOptions(kind, name, values) {
  const rest = [...values];
  return Object.fromEntries(Object.entries(tableOf(kind, name, spaces[kind]).options).flatMap(([key, option]) => {
    const number = /** @type {number} */ (rest.shift());
    const value = isList(option) ? rest.splice(0, number) : option.names?.[number] ?? (option.type === 'bool' ? number === 1 : number);
    return String(value) === String(option.default) ? [] : [[key, value]];
  }));
}

// --- factories: what users call; they sort flat options, as in Keras, into a spec ---

/** @param {string} name @param {Record<string, unknown>} given @param {string} where */
function layerParts(name, given, where) {
  const table = tables.layer[name], own = groupsOf(table, true), present = groupsOf(table, given.useBias);
  const weightKeys = own.length ? ['trainable', 'learningRateFactor', ...own.flatMap(group => attached.map(kind => joined(group, kind)))] : [];
  checkOptions(given, [...Object.keys(table.options), 'name', 'inputShape', 'activityRegularizer', ...weightKeys], where);
  const { name: label, inputShape, activityRegularizer: activity, trainable, learningRateFactor, ...rest } = given;
  if (trainable !== undefined) checkValue({ type: 'bool' }, trainable, `${where}: trainable`);
  /** @type {Record<string, Record<string, unknown>>} */
  const weights = {};
  for (const group of own) {
    /** @type {Record<string, unknown>} */
    const items = {};
    for (const kind of attached) {
      const key = joined(group, kind);
      if (rest[key] !== undefined) items[kind] = rest[key];
      delete rest[key];
      if (kind in items && !present.includes(group)) refuse(`${where}: ${key} needs useBias: true`);
    }
    if (!present.includes(group)) continue;
    if (learningRateFactor !== undefined) items.learningRateFactor = learningRateFactor;
    if (trainable === false) items.frozen = true;
    if (Object.keys(items).length) weights[group] = items;
  }
  return { options: rest, name: label, inputShape, activity, ...Object.keys(weights).length && { weights } };
}

/** @param {Record<string, unknown>} given @param {string} where */
function optimizerParts(given, where) {
  const { learningRate } = given;
  if (typeof learningRate !== 'object' || learningRate === null) return { options: given };
  const { initialLearningRate, ...schedule } = asSpec('schedule', learningRate, `${where}: learningRate`);
  return { options: { ...given, learningRate: initialLearningRate }, schedule };
}

/** @param {Record<string, unknown>} given */
function scheduleParts({ initialLearningRate, ...options }) {
  return { options, initialLearningRate };
}

/** @param {Kind} kind @param {string} name @param {Record<string, unknown>} given @param {string} where */
function partsOf(kind, name, given, where) {
  switch (kind) {
    case 'layer': return layerParts(name, given, where);
    case 'optimizer': return optimizerParts(given, where);
    case 'schedule': return scheduleParts(given);
    default: return { options: given };
  }
}

/**
 * All factories of one kind, by name.
 * @template {Kind} K
 * @param {K} kind
 * @returns {Readonly<Factories[K]>}
 */
export function factories(kind) {
  /** @param {string} name */
  const factory = name => (/** @type {Record<string, unknown>} */ options = {}) => {
    const where = within(kind, name, spaces[kind]);
    checkOptions(options, Object.keys(options ?? {}), where); // an object at all?
    return asSpec(kind, { [kind]: name, ...partsOf(kind, name, options, where) });
  };
  return /** @type {any} */ (Object.freeze(Object.fromEntries(Object.keys(tables[kind]).map(name => [name, factory(name)]))));
}
