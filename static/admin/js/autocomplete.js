"use strict";
// Stands in for the stock file of the same name: it asks by POST, so that what is typed is in no address.
{
  const $ = django.jQuery;
  const start = (fields) => fields.each((_, field) => {
    // The widget writes GET here, and select2 lets this attribute win.
    field.setAttribute("data-ajax--type", "POST");
    $(field).select2({
      ajax: {
        data: ({ term, page }) => ({
          term,
          page,
          app_label: field.dataset.appLabel,
          model_name: field.dataset.modelName,
          field_name: field.dataset.fieldName,
          csrfmiddlewaretoken: field.form.elements.csrfmiddlewaretoken.value,
        }),
      },
    });
  });
  $(() => start($(".admin-autocomplete").not("[name*=__prefix__]")));
}
