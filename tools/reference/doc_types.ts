/** The parts of what `deno doc --json` prints (version 2) that the reference shows, as text. */

/** Documentation comment. */
export interface JsDoc {
  doc?: string;
}

/** A type parameter. */
export interface TypeParameter {
  name: string;
  constraint?: DocType;
  default?: DocType;
}

/** A parameter of a function. */
export type Parameter =
  | { kind: "identifier"; name: string; optional?: boolean; tsType?: DocType }
  | { kind: "assign"; left: Parameter; tsType?: DocType }
  | { kind: "object" | "array"; optional?: boolean; tsType?: DocType }
  | { kind: "rest"; arg: Parameter; tsType?: DocType };

/** What can be called. */
export interface Signature {
  params: readonly Parameter[];
  typeParams?: readonly TypeParameter[];
  returnType?: DocType;
}

/** A field. */
export interface Property {
  name: string;
  jsDoc?: JsDoc;
  optional?: boolean;
  readonly?: boolean;
  isStatic?: boolean;
  accessibility?: string;
  tsType?: DocType;
}

/** A method of an interface; those of a class have their signature in `functionDef`. */
export interface Method extends Signature {
  name: string;
  jsDoc?: JsDoc;
  optional?: boolean;
}

/** `[name: string]: …`. */
export interface IndexSignature {
  jsDoc?: JsDoc;
  readonly?: boolean;
  params: readonly Parameter[];
  tsType?: DocType;
}

/** What an interface or an object type has. */
export interface Members {
  properties?: readonly Property[];
  methods?: readonly Method[];
  indexSignatures?: readonly IndexSignature[];
  callSignatures?: readonly Signature[];
}

/** A type. */
export type DocType =
  | { kind: "keyword"; value: string }
  | { kind: "literal"; repr: string; value: { kind: string } }
  | { kind: "typeRef"; value: { typeName: string; typeParams?: readonly DocType[] } }
  | { kind: "typeQuery"; value: string }
  | { kind: "union" | "intersection" | "tuple"; value: readonly DocType[] }
  | { kind: "array" | "parenthesized" | "rest" | "optional"; value: DocType }
  | { kind: "typeOperator"; value: { operator: string; tsType: DocType } }
  | { kind: "indexedAccess"; value: { objType: DocType; indexType: DocType } }
  | {
    kind: "fnOrConstructor";
    value: { params: readonly Parameter[]; tsType: DocType; constructor: boolean };
  }
  | {
    kind: "mapped";
    value: {
      readonly?: boolean;
      typeParam: TypeParameter;
      optional?: boolean;
      tsType?: DocType;
    };
  }
  | { kind: "typePredicate"; repr: string }
  | { kind: "typeLiteral"; value: Members };

/** A type as TypeScript. */
export function typeText(type: DocType | undefined): string {
  if (type === undefined) return "unknown";
  switch (type.kind) {
    case "keyword":
    case "typeQuery":
      return type.kind === "keyword" ? type.value : `typeof ${type.value}`;
    case "literal":
      return type.value.kind === "string" ? JSON.stringify(type.repr) : type.repr;
    case "typeRef": {
      const { typeName, typeParams = [] } = type.value;
      return typeName + (typeParams.length > 0 ? `<${typeParams.map(typeText).join(", ")}>` : "");
    }
    case "union":
      return type.value.map(typeText).join(" | ");
    case "intersection":
      return type.value.map(typeText).join(" & ");
    case "tuple":
      return `[${type.value.map(typeText).join(", ")}]`;
    case "array":
      return `${typeText(type.value)}[]`;
    case "parenthesized":
      return `(${typeText(type.value)})`;
    case "rest":
      return `...${typeText(type.value)}`;
    case "optional":
      return `${typeText(type.value)}?`;
    case "typeOperator":
      return `${type.value.operator} ${typeText(type.value.tsType)}`;
    case "indexedAccess":
      return `${typeText(type.value.objType)}[${typeText(type.value.indexType)}]`;
    case "fnOrConstructor": {
      const { params, tsType } = type.value;
      return `${type.value.constructor === true ? "new " : ""}(${
        params.map(parameterText).join(", ")
      }) => ${typeText(tsType)}`;
    }
    case "mapped": {
      const { readonly, typeParam, optional, tsType } = type.value;
      return `{ ${readonly ? "readonly " : ""}[${typeParam.name} in ${
        typeText(typeParam.constraint)
      }]${optional ? "?" : ""}: ${typeText(tsType)} }`;
    }
    case "typePredicate":
      return type.repr;
    case "typeLiteral":
      return `{ ${memberTexts(type.value).map(({ text }) => text).join("; ")} }`;
    default:
      throw new Error(`A type that the reference cannot show: ${JSON.stringify(type)}`);
  }
}

/** A parameter as TypeScript. */
export function parameterText(parameter: Parameter): string {
  switch (parameter.kind) {
    case "identifier":
      return `${parameter.name}${parameter.optional ? "?" : ""}: ${typeText(parameter.tsType)}`;
    case "assign": {
      const { left } = parameter;
      const name = left.kind === "identifier" ? left.name : "options";
      return `${name}?: ${typeText(left.kind === "rest" ? undefined : left.tsType)}`;
    }
    case "rest": {
      const { arg } = parameter;
      return `...${arg.kind === "identifier" ? arg.name : "rest"}: ${typeText(parameter.tsType)}`;
    }
    default:
      return `options${parameter.optional ? "?" : ""}: ${typeText(parameter.tsType)}`;
  }
}

/** Type parameters in angle brackets, or nothing. */
export function typeParametersText(parameters: readonly TypeParameter[] | undefined): string {
  if (parameters === undefined || parameters.length === 0) return "";
  const texts = parameters.map(({ name, constraint, default: standard }) =>
    name + (constraint === undefined ? "" : ` extends ${typeText(constraint)}`) +
    (standard === undefined ? "" : ` = ${typeText(standard)}`)
  );
  return `<${texts.join(", ")}>`;
}

/** A signature without its name. */
export function signatureText({ params, typeParams, returnType }: Signature): string {
  return `${typeParametersText(typeParams)}(${params.map(parameterText).join(", ")}): ${
    typeText(returnType)
  }`;
}

/** The members of an interface, each as TypeScript and with its documentation. */
export function memberTexts(members: Members): readonly { text: string; jsDoc?: JsDoc }[] {
  return [
    ...(members.properties ?? []).map((property) => ({
      text: `${property.readonly ? "readonly " : ""}${nameText(property.name)}${
        property.optional ? "?" : ""
      }: ${typeText(property.tsType)}`,
      jsDoc: property.jsDoc,
    })),
    ...(members.methods ?? []).map((method) => ({
      text: `${nameText(method.name)}${method.optional ? "?" : ""}${signatureText(method)}`,
      jsDoc: method.jsDoc,
    })),
    ...(members.callSignatures ?? []).map((signature) => ({ text: signatureText(signature) })),
    ...(members.indexSignatures ?? []).map(({ readonly, params, tsType, jsDoc }) => ({
      text: `${readonly ? "readonly " : ""}[${params.map(parameterText).join(", ")}]: ${
        typeText(tsType)
      }`,
      jsDoc,
    })),
  ];
}

function nameText(name: string): string {
  return /^[\w$]+$/.test(name) ? name : JSON.stringify(name);
}
